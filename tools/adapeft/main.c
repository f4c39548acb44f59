/* adapeft - runs adapeft-VERB, and opens its manual page. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli.h"
#include "io/file.h"

static const struct verb {
	const char *name, *summary;
} verbs[] = {
	{ "probe", "measure the influence of groups of parameters on the loss" },
	{ "rank", "sum the influence over the probed steps and rank the groups" },
	{ "select", "choose the groups that are worth most within a budget" },
	{ "finetune", "train the chosen groups, or a preset" },
	{ "evaluate", "score runs, and find the frontier of score and parameters" },
	{ "plot", "draw a stream" },
	{ "view", "show, convert or seal a stream; make a model of an adapter" },
};

#define VERBS (sizeof verbs / sizeof *verbs)

/* Pages that are about no verb. */
static const struct topic {
	const char *word, *page;
	int section;
} topics[] = {
	{ "adapeft", "adapeft", 1 },
	{ "stream", "adapeft-stream", 5 },
	{ "method", "adapeft", 7 },
	{ "tutorial", "adapeft", 7 },
};

#define TOPICS (sizeof topics / sizeof *topics)

static void print_help(void)
{
	printf("usage: adapeft VERB [ARGUMENT ...]\n"
	       "       adapeft help VERB\n"
	       "Influence of parameters, the best subset within a budget, and its "
	       "training.\n\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("  %-10s%s\n", verbs[i].name, verbs[i].summary);
	printf("  %-10s%s\n", "help",
	       "open the manual page of a verb, or: stream, method, tutorial");
}

static int unknown_verb(const char *word, struct err *e)
{
	const char *names[VERBS + 1];
	struct strbuf near = { 0 };

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	names[VERBS] = "help";
	str_near(word, names, VERBS + 1, &near);
	if (near.len > 0)
		err_set(e, EX_USAGE, "%s: no such verb; did you mean %s?", word, near.s);
	else
		err_set(e, EX_USAGE, "%s: no such verb (see adapeft help)", word);
	strbuf_free(&near);
	return EX_USAGE;
}

static bool is_verb(const char *word)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return true;
	return false;
}

static const struct topic *find_topic(const char *word)
{
	for (size_t i = 0; i < TOPICS; i++)
		if (strcmp(topics[i].word, word) == 0)
			return &topics[i];
	return NULL;
}

/* The directory of this executable, for the caller to free; NULL when it cannot be told. */
static char *own_dir(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return NULL;
	slash[slash == path] = '\0';
	return str_dup(path);
}

/* Becomes adapeft-VERB, from beside this program or else from PATH; argv[0] is replaced.
 * Returns only on failure. */
static int run(const char *verb, char **argv, struct err *e)
{
	char *name = str_printf("adapeft-%s", verb), *dir = own_dir(), *beside = NULL;
	int rc;

	if (name == NULL)
		return err_nomem(e);
	argv[0] = name;
	if (dir != NULL && (beside = file_join(dir, name)) != NULL)
		execv(beside, argv);
	execvp(name, argv);
	rc = err_errno(e, EX_UNAVAILABLE, "%s: found neither beside adapeft nor in PATH",
		       name);
	free(name);
	free(dir);
	free(beside);
	return rc;
}

/* Section `section` of the page NAME below the directory `man`, in a tree as built (man/)
 * or as installed (share/man/man1/): for the caller to free, NULL when it is not there. */
static char *find_page(const char *man, const char *name, int section)
{
	char *path = str_printf("%s/man%d/%s.%d", man, section, name, section);

	if (path == NULL || file_exists(path))
		return path;
	free(path);
	path = str_printf("%s/%s.%d", man, name, section);
	if (path == NULL || file_exists(path))
		return path;
	free(path);
	return NULL;
}

/* The page beside the program first, so that a build tree shows its own. */
static char *page_of(const char *name, int section)
{
	char *dir = own_dir();
	char *near[] = { dir == NULL ? NULL : file_join(dir, "../man"),
			 dir == NULL ? NULL : file_join(dir, "../share/man"),
			 str_dup(ADAPEFT_MANDIR) };
	char *page = NULL;

	for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
		if (page == NULL && near[i] != NULL)
			page = find_page(near[i], name, section);
		free(near[i]);
	}
	free(dir);
	return page;
}

/* Shows the page with man, else mandoc, else the program's own --help. */
static int show_page(const char *word, struct err *e)
{
	char option[] = "--help", *help[] = { NULL, option, NULL };
	const struct topic *topic = find_topic(word);
	char *name = topic != NULL ? str_dup(topic->page) : str_printf("adapeft-%s", word);
	char *page =
	    name == NULL ? NULL : page_of(name, topic != NULL ? topic->section : 1);

	if (page != NULL) {
		execlp("man", "man", "-l", page, (char *)NULL);
		execlp("mandoc", "mandoc", "-a", page, (char *)NULL);
	}
	free(name);
	if (is_verb(word)) {
		free(page);
		return run(word, help, e);
	}
	if (page == NULL)
		return err_set(e, EX_UNAVAILABLE, "%s: its manual page is not installed",
			       word);
	err_set(e, EX_UNAVAILABLE, "%s: neither man nor mandoc is here to show it", page);
	free(page);
	return EX_UNAVAILABLE;
}

static int dispatch(int argc, char **argv, struct err *e)
{
	const char *word = argc > 1 ? argv[1] : "";
	bool help = strcmp(word, "help") == 0;

	if (argc < 2)
		return err_set(e, EX_USAGE, "which verb? (see adapeft help)");
	if (help && argc > 2)
		return is_verb(argv[2]) || find_topic(argv[2]) != NULL
			   ? show_page(argv[2], e)
			   : unknown_verb(argv[2], e);
	if (help || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_help();
		return EX_OK;
	}
	if (strcmp(word, "--version") == 0) {
		puts("adapeft " ADAPEFT_VERSION);
		return EX_OK;
	}
	if (*word == '-')
		return err_set(e, EX_USAGE,
			       "%s: options follow the verb (see adapeft help)", word);
	return is_verb(word) ? run(word, argv + 1, e) : unknown_verb(word, e);
}

int main(int argc, char **argv)
{
	struct cli cli = CLI_INIT("adapeft");
	struct err e = { 0 };
	int rc = dispatch(argc, argv, &e);

	return cli_end(&cli, rc, &e);
}
