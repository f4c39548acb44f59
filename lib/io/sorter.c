#include "io/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/temporary.h"

#define HELD_LEAST  4       /* records in memory: so many runs can be merged in any case */
#define RUNS_MOST   512     /* that are merged at once */
#define BLOCK_LEAST 16384   /* bytes that are read of a run at once, if there are so many */
#define BLOCK_MOST  1048576 /* more is no faster */

/* A sorted stretch of the file. */
struct run {
	uint64_t at;      /* byte */
	uint64_t records; /* that are left to read */
};

/* A run that is being merged. */
struct reading {
	struct run rest;      /* what is still in the file */
	unsigned char *block; /* where `n` records of it are, from `i` on to be taken */
	size_t i, n;
};

struct sorter {
	size_t size, limit; /* bytes of a record; records that memory may hold */
	int (*compare)(const void *, const void *);
	const char *dir;
	unsigned char *held; /* [cap][size]: `n` records, or the blocks of a merge */
	size_t n, cap;
	uint32_t *order, *spare; /* [n] indices into held, sorted */
	bool sorted;
	size_t next; /* index into order */

	FILE *file;
	struct run *runs;
	size_t n_runs, cap_runs, written;

	struct reading *reading; /* [n_reading] */
	size_t *heap;            /* [in_heap] indices of those that have records left */
	size_t n_reading, in_heap;
	bool taken; /* the record at the top of the heap has been given away */
};

int sorter_open(struct sorter **out, size_t size,
		int (*compare)(const void *, const void *), size_t bytes, const char *dir,
		struct err *e)
{
	struct sorter *s = mem_zeros(1, sizeof *s);

	*out = s;
	if (s == NULL)
		return err_nomem(e);
	s->size = size;
	s->compare = compare;
	s->dir = dir;
	s->limit = bytes / (size + 2 * sizeof *s->order);
	if (s->limit < HELD_LEAST)
		s->limit = HELD_LEAST;
	if (s->limit > UINT32_MAX)
		s->limit = UINT32_MAX;
	return EX_OK;
}

void sorter_close(struct sorter *s)
{
	if (s == NULL)
		return;
	if (s->file != NULL)
		fclose(s->file);
	free(s->held);
	free(s->order);
	free(s->spare);
	free(s->runs);
	free(s->reading);
	free(s->heap);
	free(s);
}

size_t sorter_runs(const struct sorter *s)
{
	return s->written;
}

/* ---- in memory ---- */

static const unsigned char *held(const struct sorter *s, uint32_t at)
{
	return s->held + at * s->size;
}

static bool in_order(const struct sorter *s, uint32_t a, uint32_t b)
{
	return s->compare(held(s, a), held(s, b)) <= 0;
}

/* Sorts a[n]; spare[n / 2] is room. */
static void merge_sort(const struct sorter *s, uint32_t *a, size_t n, uint32_t *spare)
{
	size_t middle = n / 2, i = 0, j = middle, k = 0;

	if (n < 2)
		return;
	merge_sort(s, a, middle, spare);
	merge_sort(s, a + middle, n - middle, spare);
	if (in_order(s, a[middle - 1], a[middle]))
		return;
	memcpy(spare, a, middle * sizeof *a);
	while (i < middle && j < n)
		a[k++] = in_order(s, spare[i], a[j]) ? spare[i++] : a[j++];
	memcpy(a + k, spare + i, (middle - i) * sizeof *a);
}

static int sort_held(struct sorter *s, struct err *e)
{
	if (s->order == NULL) {
		s->order = mem_zeros(s->n, sizeof *s->order);
		s->spare = mem_zeros(s->n / 2, sizeof *s->spare);
	}
	if (s->order == NULL || s->spare == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->n; i++)
		s->order[i] = (uint32_t)i;
	merge_sort(s, s->order, s->n, s->spare);
	return EX_OK;
}

/* False when there is to be no more memory. */
static bool grow(struct sorter *s)
{
	size_t want = s->cap < 64 ? 64 : s->cap * 2, bytes;
	unsigned char *grown;

	if (s->cap == s->limit)
		return false;
	if (want > s->limit)
		want = s->limit;
	grown = mem_mul(want, s->size, &bytes) ? realloc(s->held, bytes) : NULL;
	if (grown == NULL)
		return false;
	s->held = grown;
	s->cap = want;
	return true;
}

/* ---- the file ---- */

static int failed(const struct sorter *s, const char *what, struct err *e)
{
	return err_errno(e, EX_IOERR, "%s: cannot %s temporary rows", s->dir, what);
}

/* A file without a name: no signal has anything to remove. */
static int make_file(const char *dir, FILE **out, struct err *e)
{
	char *path = str_printf("%s/adapeft-XXXXXX", dir);
	sigset_t saved;
	int fd;

	if (path == NULL)
		return err_nomem(e);
	signals_hold(&saved);
	fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	signals_release(&saved);
	free(path);
	if (fd < 0)
		return err_errno(e, EX_CANTCREAT,
				 "%s: cannot create a temporary file; -T DIR or TMPDIR "
				 "names another directory",
				 dir);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*out = fdopen(fd, "w+");
	if (*out != NULL)
		return EX_OK;
	close(fd);
	return err_nomem(e);
}

static int add_run(struct sorter *s, struct run **runs, size_t *n, size_t *cap,
		   struct run run, struct err *e)
{
	int rc = mem_grow(runs, cap, *n + 1, sizeof **runs, e);

	if (rc != EX_OK)
		return rc;
	(*runs)[(*n)++] = run;
	s->written++;
	return EX_OK;
}

static uint64_t end_of(const struct run *runs, size_t n, size_t size)
{
	return n == 0 ? 0 : runs[n - 1].at + runs[n - 1].records * size;
}

/* Writes what memory holds as a run. */
static int spill(struct sorter *s, struct err *e)
{
	struct run run = { end_of(s->runs, s->n_runs, s->size), s->n };
	int rc = sort_held(s, e);

	if (rc == EX_OK && s->file == NULL)
		rc = make_file(s->dir, &s->file, e);
	for (size_t i = 0; i < s->n && rc == EX_OK; i++)
		if (fwrite(held(s, s->order[i]), s->size, 1, s->file) != 1)
			rc = failed(s, "write", e);
	if (rc == EX_OK && fflush(s->file) != 0)
		rc = failed(s, "write", e);
	if (rc == EX_OK)
		rc = add_run(s, &s->runs, &s->n_runs, &s->cap_runs, run, e);
	s->n = 0;
	return rc;
}

int sorter_add(struct sorter *s, const void *record, struct err *e)
{
	if (s->n == s->cap && !grow(s)) {
		int rc = s->n < HELD_LEAST ? err_nomem(e) : EX_OK;

		s->limit = s->cap;
		if (rc == EX_OK)
			rc = spill(s, e);
		if (rc != EX_OK)
			return rc;
	}
	memcpy(s->held + s->n++ * s->size, record, s->size);
	return EX_OK;
}

/* ---- merging ---- */

static bool before(const struct sorter *s, size_t a, size_t b)
{
	const struct reading *x = &s->reading[a], *y = &s->reading[b];
	int order = s->compare(x->block + x->i * s->size, y->block + y->i * s->size);

	return order != 0 ? order < 0 : a < b;
}

static void sift_down(struct sorter *s, size_t at)
{
	size_t moving = s->heap[at];

	for (size_t child; (child = 2 * at + 1) < s->in_heap; at = child) {
		if (child + 1 < s->in_heap && before(s, s->heap[child + 1], s->heap[child]))
			child++;
		if (before(s, moving, s->heap[child]))
			break;
		s->heap[at] = s->heap[child];
	}
	s->heap[at] = moving;
}

/* Reads the run's next block, of `room` records at most. */
static int refill(struct sorter *s, struct reading *r, size_t room, struct err *e)
{
	size_t n = r->rest.records < room ? (size_t)r->rest.records : room, got = 0;

	while (got < n * s->size) {
		ssize_t more = pread(fileno(s->file), r->block + got, n * s->size - got,
				     (off_t)(r->rest.at + got));

		if (more < 0 && errno == EINTR)
			continue;
		if (more == 0)
			errno = EIO;
		if (more <= 0)
			return failed(s, "read", e);
		got += (size_t)more;
	}
	r->rest.at += got;
	r->rest.records -= n;
	r->i = 0;
	r->n = n;
	return EX_OK;
}

static size_t runs_at_once(const struct sorter *s)
{
	size_t most = s->cap * s->size / BLOCK_LEAST;

	if (most > RUNS_MOST)
		most = RUNS_MOST;
	if (most > s->cap)
		most = s->cap;
	return most < HELD_LEAST ? HELD_LEAST : most;
}

/* Records in the block of each run that is merged. */
static size_t block_room(const struct sorter *s)
{
	size_t room = s->cap / s->n_reading, most = BLOCK_MOST / s->size;

	return room > most && most > 0 ? most : room;
}

static int merge_start(struct sorter *s, const struct run *runs, size_t n, struct err *e)
{
	size_t most = runs_at_once(s);
	int rc = EX_OK;

	if (s->reading == NULL) {
		s->reading = mem_zeros(most, sizeof *s->reading);
		s->heap = mem_zeros(most, sizeof *s->heap);
	}
	if (s->reading == NULL || s->heap == NULL)
		return err_nomem(e);
	s->n_reading = s->in_heap = n;
	s->taken = false;
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		struct reading *r = &s->reading[i];

		*r = (struct reading){ .rest = runs[i],
				       .block = s->held + i * block_room(s) * s->size };
		s->heap[i] = i;
		rc = refill(s, r, block_room(s), e);
	}
	for (size_t i = n / 2; i-- > 0 && rc == EX_OK;)
		sift_down(s, i);
	return rc;
}

static int merge_next(struct sorter *s, const void **record, struct err *e)
{
	struct reading *top;

	*record = NULL;
	if (s->taken) {
		top = &s->reading[s->heap[0]];
		if (++top->i == top->n && top->rest.records > 0) {
			int rc = refill(s, top, block_room(s), e);

			if (rc != EX_OK)
				return rc;
		}
		if (top->i == top->n)
			s->heap[0] = s->heap[--s->in_heap];
		if (s->in_heap > 1)
			sift_down(s, 0);
	}
	s->taken = s->in_heap > 0;
	if (s->taken) {
		top = &s->reading[s->heap[0]];
		*record = top->block + top->i * s->size;
	}
	return EX_OK;
}

/* Merges runs[n] into one at the end of `to`. */
static int merge_into(struct sorter *s, const struct run *runs, size_t n, FILE *to,
		      uint64_t *records, struct err *e)
{
	const void *record;
	int rc = merge_start(s, runs, n, e);

	*records = 0;
	while (rc == EX_OK && (rc = merge_next(s, &record, e)) == EX_OK && record != NULL) {
		++*records;
		if (fwrite(record, s->size, 1, to) != 1)
			rc = failed(s, "write", e);
	}
	return rc;
}

/* Makes fewer runs: as many at once as can be read at once, into another file. */
static int merge_level(struct sorter *s, struct err *e)
{
	size_t at_once = runs_at_once(s), n = 0, cap = 0;
	struct run *merged = NULL;
	FILE *to = NULL;
	int rc = make_file(s->dir, &to, e);

	for (size_t i = 0; i < s->n_runs && rc == EX_OK; i += at_once) {
		size_t some = s->n_runs - i < at_once ? s->n_runs - i : at_once;
		struct run run = { end_of(merged, n, s->size), 0 };

		rc = merge_into(s, s->runs + i, some, to, &run.records, e);
		if (rc == EX_OK)
			rc = add_run(s, &merged, &n, &cap, run, e);
	}
	if (rc == EX_OK && fflush(to) != 0)
		rc = failed(s, "write", e);
	if (rc != EX_OK) {
		free(merged);
		if (to != NULL)
			fclose(to);
		return rc;
	}
	fclose(s->file);
	free(s->runs);
	s->file = to;
	s->runs = merged;
	s->n_runs = n;
	s->cap_runs = cap;
	return EX_OK;
}

/* ---- in order ---- */

static int sort_all(struct sorter *s, struct err *e)
{
	int rc = s->n_runs == 0 ? sort_held(s, e) : s->n > 0 ? spill(s, e) : EX_OK;

	while (rc == EX_OK && s->n_runs > runs_at_once(s))
		rc = merge_level(s, e);
	s->sorted = rc == EX_OK;
	return rc;
}

int sorter_rewind(struct sorter *s, struct err *e)
{
	int rc = s->sorted ? EX_OK : sort_all(s, e);

	s->next = 0;
	if (rc == EX_OK && s->n_runs > 0)
		rc = merge_start(s, s->runs, s->n_runs, e);
	return rc;
}

int sorter_next(struct sorter *s, const void **record, struct err *e)
{
	if (s->n_runs > 0)
		return merge_next(s, record, e);
	*record = s->next < s->n ? held(s, s->order[s->next++]) : NULL;
	return EX_OK;
}
