#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"

/* Each test runs in an empty directory of its own. */
static const char *const ours[] = { "marker", "only-old", "only-new", "part-*.new", NULL };

static int enter(void **state)
{
	char *dir = strdup(P_tmpdir "/adapeft-file-XXXXXX");

	*state = dir;
	return dir == NULL || mkdtemp(dir) == NULL || chdir(dir) != 0 ? -1 : 0;
}

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n < 2 ? 0 : n - 2;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_holds(const char *path, const char *want)
{
	struct err e = { 0 };
	char *text;
	size_t len;

	if (file_read(path, 1000, &text, &len, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_string_equal(text, want);
	free(text);
}

static int leave(void **state)
{
	char command[100];
	int rc;

	snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
	rc = chdir("/") != 0 || system(command) != 0;
	free(*state);
	return rc;
}

/* ---- reading ---- */

static void a_file_is_mapped_whole(void **state)
{
	struct mapped m;

	(void)state;
	write_file("a", "hello");
	assert_int_equal(file_map(&m, "a", NULL), EX_OK);
	assert_int_equal(m.size, 5);
	assert_memory_equal(m.data, "hello", 5);
	file_unmap(&m);
	write_file("a", "");
	assert_int_equal(file_map(&m, "a", NULL), EX_OK);
	assert_int_equal(m.size, 0);
	assert_null(m.data);
	file_unmap(&m);
}

static void what_is_no_file_is_no_input(void **state)
{
	struct err e = { 0 };
	struct mapped m;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(file_map(&m, "missing", &e), EX_NOINPUT);
	assert_string_equal(e.text, "missing: No such file or directory");
	assert_int_equal(file_read(".", 10, &text, &len, &e), EX_NOINPUT);
	assert_string_equal(e.text, ".: is a directory; a file is needed");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(file_map(&m, "fifo", &e), EX_NOINPUT);
	assert_int_equal(file_map(&m, "/dev/null", &e), EX_NOINPUT);
}

static void a_file_larger_than_expected_is_refused(void **state)
{
	struct err e = { 0 };
	char *text;
	size_t len;

	(void)state;
	write_file("a", "0123456789");
	assert_int_equal(file_read("a", 9, &text, &len, &e), EX_DATAERR);
	assert_null(text);
	assert_non_null(strstr(e.text, "a: 10 bytes, more than the 9"));
	assert_int_equal(file_read("a", 10, &text, &len, &e), EX_OK);
	assert_int_equal(len, 10);
	free(text);
}

static void names_join_with_one_slash(void **state)
{
	char *a = file_join("x", "y"), *b = file_join("x/", "y");

	(void)state;
	assert_string_equal(a, "x/y");
	assert_string_equal(b, "x/y");
	free(a);
	free(b);
	assert_true(file_is_dir("."));
	assert_true(file_same(".", "./."));
	assert_false(file_same(".", "missing"));
	assert_false(file_same(".", ".."));
	assert_true(file_exists("."));
	assert_false(file_exists("missing"));
	assert_false(file_is_dir("missing"));
}

static void a_copy_is_a_new_file(void **state)
{
	struct err e = { 0 };

	(void)state;
	write_file("a", "hello");
	assert_int_equal(file_copy("a", "b", &e), EX_OK);
	assert_holds("b", "hello");
	assert_int_equal(file_copy("missing", "c", &e), EX_NOINPUT);
	assert_int_equal(file_copy("a", "b", &e), EX_CANTCREAT);
	assert_int_equal(file_copy("a", "no/b", &e), EX_CANTCREAT);
	assert_int_equal(entries("."), 2);
}

/* ---- output files ---- */

static void an_output_appears_at_commit(void **state)
{
	struct output o;
	struct stat st;

	(void)state;
	umask(022);
	assert_int_equal(output_open(&o, "a", NULL), EX_OK);
	fputs("new", o.file);
	assert_false(file_exists("a"));
	assert_int_equal(output_commit(&o, NULL), EX_OK);
	assert_holds("a", "new");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(entries("."), 1);
	output_drop(&o);
	assert_holds("a", "new");
}

static void a_dropped_output_changes_nothing(void **state)
{
	struct output o;

	(void)state;
	write_file("a", "old");
	assert_int_equal(output_open(&o, "a", NULL), EX_OK);
	fputs("new", o.file);
	output_drop(&o);
	assert_holds("a", "old");
	assert_int_equal(entries("."), 1);
}

static void a_replaced_file_keeps_its_mode_and_its_links(void **state)
{
	struct output o;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	write_file("d/a", "old");
	assert_int_equal(chmod("d/a", 0600), 0);
	assert_int_equal(symlink("d/a", "link"), 0);
	assert_int_equal(output_open(&o, "link", NULL), EX_OK);
	fputs("new", o.file);
	assert_int_equal(output_commit(&o, NULL), EX_OK);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_holds("d/a", "new");
	assert_int_equal(stat("d/a", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void two_outputs_to_one_name_do_not_mix(void **state)
{
	struct output a, b;

	(void)state;
	assert_int_equal(output_open(&a, "x", NULL), EX_OK);
	assert_int_equal(output_open(&b, "x", NULL), EX_OK);
	fputs("first", a.file);
	fputs("second", b.file);
	assert_int_equal(output_commit(&b, NULL), EX_OK);
	assert_int_equal(output_commit(&a, NULL), EX_OK);
	assert_holds("x", "first");
	assert_int_equal(entries("."), 1);
}

static void an_output_in_no_directory_cannot_be_created(void **state)
{
	struct err e = { 0 };
	struct output o;

	(void)state;
	assert_int_equal(output_open(&o, "no/a", &e), EX_CANTCREAT);
	assert_string_equal(e.text, "no/a: No such file or directory");
	assert_int_equal(output_open(&o, ".", &e), EX_CANTCREAT);
	assert_string_equal(e.text, ".: is a directory; name a file");
	output_drop(&o);
}

static void a_full_device_is_a_write_error(void **state)
{
	struct err e = { 0 };
	struct output o;

	(void)state;
	assert_int_equal(output_open(&o, "/dev/full", &e), EX_OK);
	fputs("new", o.file);
	assert_int_equal(output_commit(&o, &e), EX_IOERR);
	assert_string_equal(e.text, "/dev/full: No space left on device");
}

static void a_file_that_cannot_grow_is_a_write_error_and_the_old_one_stays(void **state)
{
	struct rlimit none = { 0, RLIM_INFINITY }, before;
	struct err e = { 0 };
	struct output o;

	(void)state;
	write_file("a", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(output_open(&o, "a", &e), EX_OK);
	fputs("new", o.file);
	assert_int_equal(output_commit(&o, &e), EX_IOERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_holds("a", "old");
	assert_int_equal(entries("."), 1);
}

/* ---- output directories ---- */

static void put(const struct outdir *d, const char *name, const char *text)
{
	char *path = file_join(d->temporary, name);

	write_file(path, text);
	free(path);
}

static void a_directory_appears_whole_with_its_parents(void **state)
{
	struct outdir d;

	(void)state;
	assert_int_equal(outdir_open(&d, "runs/a/b/", ours, NULL), EX_OK);
	put(&d, "marker", "1");
	assert_false(file_exists("runs/a/b"));
	assert_int_equal(outdir_commit(&d, NULL), EX_OK);
	assert_holds("runs/a/b/marker", "1");
	assert_int_equal(entries("runs/a"), 1);
}

static void an_own_directory_is_replaced_whole(void **state)
{
	struct outdir d;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_OK);
		put(&d, "marker", i == 0 ? "old" : "new");
		put(&d, i == 0 ? "only-old" : "only-new", "x");
		assert_int_equal(outdir_commit(&d, NULL), EX_OK);
	}
	assert_holds("run/marker", "new");
	assert_int_equal(entries("run"), 2);
	assert_true(file_exists("run/only-new"));
	assert_int_equal(entries("."), 1);
}

static void a_dropped_directory_leaves_the_old_one(void **state)
{
	struct outdir d;

	(void)state;
	assert_int_equal(mkdir("run", 0777), 0);
	write_file("run/marker", "old");
	assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_OK);
	put(&d, "marker", "new");
	outdir_drop(&d);
	assert_holds("run/marker", "old");
	assert_int_equal(entries("."), 1);
}

static void an_empty_directory_is_used(void **state)
{
	struct outdir d;

	(void)state;
	assert_int_equal(mkdir("run", 0777), 0);
	assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_OK);
	put(&d, "marker", "new");
	assert_int_equal(outdir_commit(&d, NULL), EX_OK);
	assert_holds("run/marker", "new");
}

static void a_glob_names_many_files_of_ours(void **state)
{
	struct outdir d;

	(void)state;
	assert_int_equal(mkdir("run", 0777), 0);
	write_file("run/marker", "1");
	write_file("run/part-1.new", "1");
	write_file("run/part-2.new", "2");
	assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_OK);
	put(&d, "marker", "new");
	assert_int_equal(outdir_commit(&d, NULL), EX_OK);
	assert_int_equal(entries("run"), 1);
	write_file("run/part-1.old", "1");
	assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_CANTCREAT);
}

static void what_is_not_ours_is_not_replaced(void **state)
{
	struct err e = { 0 };
	struct outdir d;

	(void)state;
	assert_int_equal(mkdir("home", 0777), 0);
	write_file("home/thesis", "years of work");
	assert_int_equal(outdir_open(&d, "home", ours, &e), EX_CANTCREAT);
	assert_non_null(strstr(e.text, "holds no marker"));
	write_file("home/marker", "1");
	assert_int_equal(outdir_open(&d, "home", ours, &e), EX_CANTCREAT);
	assert_non_null(strstr(e.text, "holds thesis, which would be lost"));
	assert_int_equal(mkdir("more", 0777), 0);
	write_file("more/marker", "1");
	assert_int_equal(mkdir("more/sub", 0777), 0);
	assert_int_equal(outdir_open(&d, "more", ours, &e), EX_CANTCREAT);
	assert_non_null(strstr(e.text, "holds sub, which would be lost"));
	assert_int_equal(symlink("more", "link"), 0);
	assert_int_equal(outdir_open(&d, "link", ours, &e), EX_CANTCREAT);
	assert_non_null(strstr(e.text, "is a symbolic link"));
	assert_int_equal(outdir_open(&d, "home/thesis", ours, &e), EX_CANTCREAT);
	assert_non_null(strstr(e.text, "is no directory"));
	assert_int_equal(outdir_open(&d, "home/thesis/x", ours, &e), EX_CANTCREAT);
	assert_int_equal(outdir_open(&d, "", ours, &e), EX_CANTCREAT);
	assert_holds("home/thesis", "years of work");
	assert_int_equal(entries("."), 3);
}

static void a_directory_filled_in_the_meantime_is_not_replaced(void **state)
{
	struct err e = { 0 };
	struct outdir d;

	(void)state;
	assert_int_equal(outdir_open(&d, "run", ours, NULL), EX_OK);
	put(&d, "marker", "new");
	assert_int_equal(mkdir("run", 0777), 0);
	write_file("run/thesis", "x");
	assert_int_equal(outdir_commit(&d, &e), EX_CANTCREAT);
	assert_holds("run/thesis", "x");
	assert_int_equal(entries("."), 1);
}

/* ---- signals ---- */

/* A child that opens outputs, and then gets the signal; its wait status. */
static int child_hit_by(int sig)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct output o;
		struct outdir d;
		char name[20];

		file_clean_on_signals();
		if (output_open(&o, "a", NULL) != EX_OK ||
		    outdir_open(&d, "run", ours, NULL) != EX_OK)
			_exit(1);
		for (int i = 0; i < 300; i++) {
			snprintf(name, sizeof name, "file-%d", i);
			put(&d, name, "x");
		}
		if (entries(".") != 2)
			_exit(1);
		raise(sig);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_signal_removes_temporaries_and_ends_the_process(void **state)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int status = child_hit_by(sigs[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), sigs[i]);
		assert_int_equal(entries("."), 0);
	}
}

static void a_signal_that_is_ignored_stays_ignored(void **state)
{
	int status;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	status = child_hit_by(SIGHUP);
	signal(SIGHUP, SIG_DFL);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(entries("."), 2);
}

static void a_closed_pipe_ends_even_a_child_that_inherits_ignoring_it(void **state)
{
	int status;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	status = child_hit_by(SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(entries("."), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_mapped_whole),
		TEST(what_is_no_file_is_no_input),
		TEST(a_file_larger_than_expected_is_refused),
		TEST(names_join_with_one_slash),
		TEST(a_copy_is_a_new_file),
		TEST(an_output_appears_at_commit),
		TEST(a_dropped_output_changes_nothing),
		TEST(a_replaced_file_keeps_its_mode_and_its_links),
		TEST(two_outputs_to_one_name_do_not_mix),
		TEST(an_output_in_no_directory_cannot_be_created),
		TEST(a_full_device_is_a_write_error),
		TEST(a_file_that_cannot_grow_is_a_write_error_and_the_old_one_stays),
		TEST(a_directory_appears_whole_with_its_parents),
		TEST(an_own_directory_is_replaced_whole),
		TEST(a_dropped_directory_leaves_the_old_one),
		TEST(an_empty_directory_is_used),
		TEST(a_glob_names_many_files_of_ours),
		TEST(what_is_not_ours_is_not_replaced),
		TEST(a_directory_filled_in_the_meantime_is_not_replaced),
		TEST(a_signal_removes_temporaries_and_ends_the_process),
		TEST(a_signal_that_is_ignored_stays_ignored),
		TEST(a_closed_pipe_ends_even_a_child_that_inherits_ignoring_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
