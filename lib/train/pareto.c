#include "train/pareto.h"

#include <math.h>
#include <string.h>

static bool dominates(const struct pareto_point *a, const struct pareto_point *b)
{
	if (isnan(a->score) || isnan(b->score))
		return isnan(b->score) && !isnan(a->score);
	return a->cost <= b->cost && a->score >= b->score &&
	       (a->cost < b->cost || a->score > b->score);
}

static bool better_witness(const struct pareto_point *a, const struct pareto_point *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (a->cost != b->cost)
		return a->cost < b->cost;
	return strcmp(a->name, b->name) < 0;
}

void pareto_mark(struct pareto_point *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p[i].by = SIZE_MAX;
		for (size_t j = 0; j < n; j++) {
			if (dominates(&p[j], &p[i]) &&
			    (p[i].by == SIZE_MAX || better_witness(&p[j], &p[p[i].by])))
				p[i].by = j;
		}
		p[i].on_frontier = p[i].by == SIZE_MAX && !isnan(p[i].score);
	}
}
