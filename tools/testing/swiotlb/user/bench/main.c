// SPDX-License-Identifier: GPL-2.0
/*
 * bench CASE [name=value...]: measure one case, in a process of its own, because a
 * software IO TLB is set up once.
 */
#include "cases.h"
#include "machine.h"

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "count-calls",	count_calls },
	{ "count-locks",	count_locks },
	{ "count-pools",	count_pools },
	{ "count-restricted",	count_restricted },
	{ "fail",		time_failures },
	{ "loops",		time_loops },
	{ "occupancy",		time_occupancy },
	{ "pairs",		time_pairs },
	{ "pools",		time_pools },
	{ "threads",		time_threads },
	{ "wander",		time_wandering },
};

static char **options;

/* Value of an option, which must be given */
unsigned int option(const char *name)
{
	size_t length = strlen(name);
	char **word;

	for (word = options; *word; word++)
		if (!strncmp(*word, name, length) && (*word)[length] == '=')
			return strtoul(*word + length + 1, NULL, 0);
	machine_die("%s=number is missing", name);
}

int main(int argc, char **argv)
{
	unsigned int i;

	options = argv + min(argc, 2);
	for (i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		cases[i].run();
		return 0;
	}
	machine_die("bench CASE [name=value...]: no case %s", argc > 1 ? argv[1] : "given");
}
