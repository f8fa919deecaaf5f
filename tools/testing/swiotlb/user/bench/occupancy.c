// SPDX-License-Identifier: GPL-2.0
/*
 * How long single calls take while a part of the pool is in use.
 */
#include "cases.h"
#include "load.h"
#include "machine.h"

#define SIZE	4096
#define CHUNK	64	/* calls until it is the other side's turn */
#define PARTS	1000	/* quantiles */

/* Durations of one side's calls, in ticks */
struct sample {
	struct load load;
	u64 random;
	u64 *map;
	u64 *unmap;
	unsigned int nr;
	unsigned int failed;
};

/* Replace another mapping, so that the calls do not always use the same slots. */
static void churn(struct sample *sample)
{
	struct load *load = &sample->load;
	unsigned int i;
	size_t size;

	if (!load->nr)
		return;
	i = next_random(&sample->random) % load->nr;
	size = load->size[i];
	load_remove(load, i);
	load_add(load, size);
}

static void take(struct sample *sample)
{
	const struct side *side = sample->load.side;
	u64 start, mapped, end;
	dma_addr_t dma;

	churn(sample);
	start = ticks();
	dma = side->map(sample->load.source, SIZE, TO_DEVICE);
	mapped = ticks();
	if (dma == MAP_FAILED_DMA) {
		sample->failed++;
		return;
	}
	side->unmap(dma, SIZE, TO_DEVICE);
	end = ticks();
	sample->map[sample->nr] = mapped - start;
	sample->unmap[sample->nr++] = end - mapped;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* What ticks() itself takes */
static u64 overhead(void)
{
	u64 shortest = U64_MAX, start;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		start = ticks();
		shortest = min(shortest, ticks() - start);
	}
	return shortest;
}

static void print_quantiles(const char *label, const char *name, u64 *samples, unsigned int nr)
{
	double less = overhead();
	unsigned int i;

	qsort(samples, nr, sizeof(*samples), compare);
	for (i = 0; i <= PARTS; i++)
		printf("%s|%s|%.1f\n", label, name,
		       (samples[(u64)(nr - 1) * i / PARTS] - less) * tick_ns());
}

/*
 * bench occupancy percent= seed= calls=
 *
 * Prints what each thousandth part of the calls takes at most, "call|side|ns", and
 * "used|side|percent in use" as well as "failed|side|maps that failed".
 */
void time_occupancy(void)
{
	unsigned int calls = option("calls"), i, done, j;
	struct sample samples[ARRAY_SIZE(sides)] = { };
	phys_addr_t source;
	struct sample *s;

	run_on(0);
	boot_sides(64, 1);
	source = source_alloc(65536);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		s = &samples[i];
		load_init(&s->load, sides[i], source);
		s->random = option("seed");
		s->map = machine_alloc(calls * sizeof(*s->map));
		s->unmap = machine_alloc(calls * sizeof(*s->unmap));
		memset(s->map, 0, calls * sizeof(*s->map));
		memset(s->unmap, 0, calls * sizeof(*s->unmap));
		walk_pool(sides[i], source_alloc(0x40000));
		load_occupy(&s->load, option("percent"), option("seed"));
	}
	for (done = 0; done < calls; done += CHUNK)
		for (i = 0; i < ARRAY_SIZE(sides); i++)
			for (j = 0; j < CHUNK && samples[i].nr < calls; j++)
				take(&samples[i]);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		s = &samples[i];
		printf("used|%s|%.2f\n", sides[i]->name,
		       100.0 * sides[i]->used() / sides[i]->slots());
		printf("failed|%s|%u\n", sides[i]->name, s->failed);
		print_quantiles("map", sides[i]->name, s->map, s->nr);
		print_quantiles("unmap", sides[i]->name, s->unmap, s->nr);
	}
}
