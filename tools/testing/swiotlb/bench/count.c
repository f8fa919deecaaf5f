// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions per call, for callgrind: each measurement becomes one of its dumps, and
 * the dump's trigger says what it is: case|side|calls. A call that does nothing is
 * measured as well, so that the counting itself can be subtracted.
 */
#include <valgrind/callgrind.h>

#include <linux/swiotlb.h>

#include "cases.h"
#include "load.h"
#include "machine.h"

#define CALLS		256
#define MANY		512	/* mappings at a time, at most */

#define COUNT(CALL) do {		\
	CALLGRIND_TOGGLE_COLLECT;	\
	CALL;				\
	CALLGRIND_TOGGLE_COLLECT;	\
} while (0)

static const struct side *side;
static phys_addr_t source;

static void start(void)
{
	CALLGRIND_ZERO_STATS;
}

static void stop(const char *name, unsigned int calls)
{
	char label[80];

	snprintf(label, sizeof(label), "%s|%s|%u", name, side->name, calls);
	CALLGRIND_DUMP_STATS_AT(label);
}

static void count_nothing(void)
{
	unsigned int i;

	start();
	for (i = 0; i < CALLS; i++)
		COUNT(side->nothing(0, 0, 0));
	stop("nothing", CALLS);
}

/* One map and one unmap after the other while there are @outstanding mappings more */
static void count_maps(const char *name, size_t size, int dir, unsigned int outstanding)
{
	char label[40];
	dma_addr_t ring[MANY + 1];
	unsigned int i, at = 0;

	for (i = 0; i < outstanding; i++)
		ring[i] = side->map(source, size, dir);

	start();
	for (i = 0; i < CALLS; i++) {
		COUNT(ring[outstanding] = side->map(source, size, dir));
		side->unmap(ring[at], size, dir);
		ring[at] = ring[outstanding];
		at = outstanding ? (at + 1) % outstanding : 0;
	}
	snprintf(label, sizeof(label), "map %s", name);
	stop(label, CALLS);

	start();
	for (i = 0; i < CALLS; i++) {
		ring[outstanding] = side->map(source, size, dir);
		COUNT(side->unmap(ring[at], size, dir));
		ring[at] = ring[outstanding];
		at = outstanding ? (at + 1) % outstanding : 0;
	}
	snprintf(label, sizeof(label), "unmap %s", name);
	stop(label, CALLS);

	for (i = 0; i < outstanding; i++)
		side->unmap(ring[i], size, dir);
}

/* The same without kernel/dma/direct.h around it */
static void count_core_maps(const char *name, size_t size)
{
	char label[40];
	dma_addr_t dma;
	unsigned int i;

	start();
	for (i = 0; i < CALLS; i++) {
		COUNT(dma = side->core_map(source, size, TO_DEVICE));
		side->core_unmap(dma, size, TO_DEVICE);
	}
	snprintf(label, sizeof(label), "map core %s", name);
	stop(label, CALLS);

	start();
	for (i = 0; i < CALLS; i++) {
		dma = side->core_map(source, size, TO_DEVICE);
		COUNT(side->core_unmap(dma, size, TO_DEVICE));
	}
	snprintf(label, sizeof(label), "unmap core %s", name);
	stop(label, CALLS);
}

static void count_sync(const char *name, size_t size, size_t offset, int dir)
{
	dma_addr_t dma = side->map(source, size, dir);
	unsigned int i;

	start();
	for (i = 0; i < CALLS; i++)
		COUNT(side->sync(dma + offset, 64, dir));
	stop(name, CALLS);
	side->unmap(dma, size, dir);
}

static void count_failures(const char *name, size_t size, unsigned int calls)
{
	dma_addr_t dma;
	unsigned int i;

	start();
	for (i = 0; i < calls; i++) {
		COUNT(dma = side->map(source, size, TO_DEVICE));
		if (dma != MAP_FAILED_DMA)
			machine_die("%s has room for what cannot be there", side->name);
	}
	stop(name, calls);
}

static void count_full(void)
{
	struct load load;

	load_init(&load, side, source);
	load_fragment(&load);
	/* Each set has changed since it was last searched. */
	count_failures("fail fragmented, first", 4096, 1);
	count_failures("fail fragmented", 4096, 64);

	load_fill(&load, IO_TLB_SIZE);
	count_failures("fail full", 4096, 64);
	load_clear(&load);
}

static void count_occupied(void)
{
	struct load load;

	load_init(&load, side, source);
	load_occupy(&load, 90, 1);
	count_maps("4096 90%", 4096, TO_DEVICE, 0);
	load_clear(&load);
}

static void count_side(void)
{
	count_nothing();
	count_core_maps("2048", 2048);
	count_core_maps("65536", 65536);
	count_maps("64", 64, TO_DEVICE, 0);
	count_maps("2048", 2048, TO_DEVICE, 0);
	count_maps("4096", 4096, TO_DEVICE, 0);
	count_maps("65536", 65536, TO_DEVICE, 0);
	count_maps("262144", 262144, TO_DEVICE, 0);
	count_maps("4096 from", 4096, FROM_DEVICE, 0);
	count_maps("4096 of 64", 4096, TO_DEVICE, 64);
	count_maps("4096 of 512", 4096, TO_DEVICE, 512);
	count_sync("sync 64", 4096, 0, FROM_DEVICE);
	count_sync("sync 64 in the middle", 65536, 40000, FROM_DEVICE);
	side->device(4095);
	count_maps("4096 align 4 KiB", 4096, TO_DEVICE, 0);
	side->device(0xffff);
	count_maps("4096 align 64 KiB", 4096, TO_DEVICE, 0);
	side->device(0);
	count_occupied();
	count_full();
}

/* bench count-calls: this, and on stdout the metadata in bytes per slot */
void count_calls(void)
{
	unsigned int i;

	boot_sides(64, 1);
	source = source_alloc(IO_TLB_SEGSIZE * IO_TLB_SIZE);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		side = sides[i];
		count_side();
		printf("metadata|%s|%g\n", side->name,
		       (double)metadata_bytes[i] / side->slots());
	}
}

static void count_find(const char *name, const dma_addr_t *dma, unsigned int nr)
{
	unsigned int i;
	bool found;

	start();
	for (i = 0; i < nr; i++) {
		COUNT(found = side->find(dma[i]));
		if (!found)
			machine_die("%s does not find a pool", side->name);
	}
	stop(name, nr);
}

/* bench count-pools pools=N */
void count_pools(void)
{
	unsigned int pools = option("pools"), i, j;
	struct load load;
	dma_addr_t first;
	char label[40];

	boot_sides(1, 1);
	source = source_alloc(IO_TLB_SEGSIZE * IO_TLB_SIZE);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		side = sides[i];
		add_pools(side, pools - 1);
		load_init(&load, side, source);
		load_fill(&load, IO_TLB_SEGSIZE * IO_TLB_SIZE);
		count_nothing();

		snprintf(label, sizeof(label), "find of %u", pools);
		count_find(label, load.dma, load.nr);

		/* Memory is handed out upwards, and the first pool came first. */
		first = load.dma[0];
		for (j = 1; j < load.nr; j++)
			first = min(first, load.dma[j]);
		snprintf(label, sizeof(label), "find of %u, in the oldest", pools);
		count_find(label, &first, 1);
	}
}
