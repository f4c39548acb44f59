#include "base/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define BAR_SECONDS   0.1
#define PLAIN_SECONDS 10.0
#define LINE_MAX_LEN  400

double progress_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "0:07", "12:34", "1:02:03" */
static void print_time(char *out, size_t size, double seconds)
{
	unsigned long long s =
	    seconds < 0 || seconds > 1e12 ? 0 : (unsigned long long)seconds;

	if (s < 3600)
		snprintf(out, size, "%llu:%02llu", s / 60, s % 60);
	else
		snprintf(out, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
}

static void print_line(const struct progress *p, double now, const char *note, char *out,
		       size_t size)
{
	double spent = now - p->started;
	double rate = spent > 0 ? (double)p->done / spent : 0;
	char left[32] = "?";
	int n;

	if (rate > 0)
		print_time(left, sizeof left, (double)(p->total - p->done) / rate);
	n = snprintf(out, size, "%s %zu/%zu  %.0f%%  %.3g/s  ETA %s", p->label, p->done,
		     p->total, 100.0 * (double)p->done / (double)p->total, rate, left);
	if (note != NULL && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, "  %s", note);
}

static size_t terminal_width(FILE *out)
{
	struct winsize w;

	if (ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 1)
		return w.ws_col;
	return 80;
}

void progress_start(struct progress *p, FILE *out, enum progress_style style,
		    const char *label, size_t total)
{
	*p =
	    (struct progress){ .out = out, .style = style, .label = label, .total = total };
	p->started = progress_clock();
	p->drawn = style == PROGRESS_PLAIN ? p->started : p->started - BAR_SECONDS;
}

void progress_step(struct progress *p, size_t done, const char *note)
{
	char line[LINE_MAX_LEN];
	double now;
	size_t width;

	p->done = done < p->total ? done : p->total;
	if (p->style == PROGRESS_NONE || p->total == 0)
		return;
	now = progress_clock();
	if (now - p->drawn < (p->style == PROGRESS_BAR ? BAR_SECONDS : PLAIN_SECONDS))
		return;
	p->drawn = now;
	print_line(p, now, note, line, sizeof line);
	if (p->style == PROGRESS_PLAIN) {
		fprintf(p->out, "%s\n", line);
		return;
	}
	/* A line that fills the terminal would wrap and could not be drawn over. */
	width = terminal_width(p->out) - 1;
	if (strlen(line) > width)
		line[width] = '\0';
	fprintf(p->out, "\r%s\033[K", line);
	fflush(p->out);
	p->on_line = true;
}

void progress_pause(struct progress *p)
{
	if (!p->on_line)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->on_line = false;
}

void progress_end(struct progress *p)
{
	char spent[32];

	progress_pause(p);
	if (p->style != PROGRESS_PLAIN)
		return;
	print_time(spent, sizeof spent, progress_clock() - p->started);
	fprintf(p->out, "%s %zu/%zu done in %s\n", p->label, p->done, p->total, spent);
}
