// SPDX-License-Identifier: GPL-2.0
/*
 * Counts instructions per call with callgrind. Each measurement becomes a dump of
 * callgrind, whose trigger is case|side|calls. A call that does nothing is measured too,
 * so that the cost of counting can be subtracted.
 */
#include <valgrind/callgrind.h>

#include <linux/swiotlb.h>

#include "cases.h"
#include "load.h"
#include "machine.h"
#include "wander.h"

#define CALLS		256
#define MANY		512	/* mappings at a time, at most */
#define MOST_CPUS	256
#define WANDERINGS	(4UL * WANDERING)

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

/* Map and unmap again and again while there are @outstanding other mappings. */
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

/* As NVMe behind an IOMMU: the start is padded, and so is the end. */
static void count_aligned(const char *name, size_t offset, size_t size, unsigned int mask)
{
	char label[40];
	phys_addr_t tlb;
	unsigned int i;

	start();
	for (i = 0; i < CALLS; i++) {
		COUNT(tlb = side->map_aligned(source + offset, size, mask));
		side->unmap_aligned(tlb, size);
	}
	snprintf(label, sizeof(label), "map %s", name);
	stop(label, CALLS);

	start();
	for (i = 0; i < CALLS; i++) {
		tlb = side->map_aligned(source + offset, size, mask);
		COUNT(side->unmap_aligned(tlb, size));
	}
	snprintf(label, sizeof(label), "unmap %s", name);
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
	source += 512;
	count_maps("4096 padded", 4096, TO_DEVICE, 0);
	count_maps("4096 padded from", 4096, FROM_DEVICE, 0);
	count_sync("sync 64 padded", 4096, 0, FROM_DEVICE);
	source -= 512;
	count_aligned("4096 in granules", 0, 4096, 4095);
	count_aligned("4096 padded in granules", 512, 4096, 4095);
	side->device(0xffff);
	count_maps("4096 align 64 KiB", 4096, TO_DEVICE, 0);
	side->device(0);
	count_occupied();
	count_full();
}

/* bench count-calls: count all calls, and print the metadata in bytes per slot. */
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

		/* Memory is allocated upwards, so the first pool is the lowest. */
		first = load.dma[0];
		for (j = 1; j < load.nr; j++)
			first = min(first, load.dma[j]);
		snprintf(label, sizeof(label), "find of %u, in the oldest", pools);
		count_find(label, &first, 1);
	}
}

/*
 * Locks and interrupts: only programs with WATCH_LOCKS count locks, and call the functions
 * below.
 */

unsigned long machine_locks;
const spinlock_t *machine_last_locks[MACHINE_LOCKS];
static const char *irqs_off_name;

void machine_irqs_off(void)
{
	if (irqs_off_name)
		CALLGRIND_TOGGLE_COLLECT;
}

void machine_irqs_on(void)
{
	if (!irqs_off_name)
		return;
	CALLGRIND_TOGGLE_COLLECT;
	stop(irqs_off_name, 1);
}

/* Each period with interrupts off in a map becomes a dump. */
static void count_irqs_off(const char *name, size_t size)
{
	dma_addr_t dma;

	start();
	irqs_off_name = name;
	dma = side->map(source, size, TO_DEVICE);
	if (dma != MAP_FAILED_DMA)
		side->unmap(dma, size, TO_DEVICE);
	irqs_off_name = NULL;
}

/* Usual requests, impossible ones, and ones that fit only in places that are hard to find */
static void count_requests(const char *how)
{
	static const struct {
		const char *name;
		u64 size;
		unsigned int align;
		unsigned long boundary;
		u64 mask;
		bool ranged;
	} requests[] = {
		{ "4096", 4096, 0, U32_MAX, U32_MAX },
		{ "65536", 65536, 0, U32_MAX, U32_MAX },
		{ "131072", 131072, 0, U32_MAX, U32_MAX },
		{ "126 slots", 126 * IO_TLB_SIZE, 0, U32_MAX, U32_MAX },
		{ "1 MiB", SZ_1M, 0, U32_MAX, U32_MAX },
		{ "4 KiB within 2 KiB", 4096, 0, 2047, U32_MAX },
		{ "62 KiB within 64 KiB", 62 * 1024, 0, 65535, U32_MAX },
		{ "7 KiB keeping 12 bits", 7 * 1024, 4095, U32_MAX, U32_MAX },
		{ "4 KiB keeping 16 bits within 8 KiB", 4096, 65535, 8191, U32_MAX },
		{ "4 KiB below 1 MiB", 4096, 0, U32_MAX, SZ_1M - 1 },
		{ "4 KiB below 1 MiB through ranges", 4096, 4095, 8191, SZ_1M - 1, true },
	};
	char label[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		side->device(requests[i].align);
		side->reach(requests[i].mask, requests[i].boundary, requests[i].ranged);
		snprintf(label, sizeof(label), "irqs off, %u areas, %s, %s",
			 option("areas"), how, requests[i].name);
		count_irqs_off(label, requests[i].size);
	}
	side->device(0);
	side->reach(U32_MAX, U32_MAX, false);
}

/* Leave 125 free slots in the middle of each set: one slot too few for a request of 126. */
static void leave_middles(struct load *load)
{
	unsigned int i;

	load_fill(load, IO_TLB_SIZE);
	for (i = load->nr; i--; )
		if (((load->dma[i] >> IO_TLB_SHIFT) + 1) % IO_TLB_SEGSIZE > 2)
			load_remove(load, i);
}

static void count_fragmented(void)
{
	struct load load;

	count_requests("empty");
	load_init(&load, side, source);
	load_fragment(&load);
	count_requests("fragmented");
	load_clear(&load);
	leave_middles(&load);
	count_requests("middles");
	load_clear(&load);
	load_occupy(&load, 60, 3);
	count_requests("in use");
	load_clear(&load);
	load_fill(&load, IO_TLB_SIZE);
	count_requests("full");
	load_clear(&load);
}

/* The locks that maps have taken, and on which CPUs */
static struct {
	const spinlock_t *lock;
	bool by_cpu[MOST_CPUS];
	unsigned int cpus;
} takers[MACHINE_LOCKS];
static unsigned int nr_takers;

static void took(const spinlock_t *lock, unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < nr_takers && takers[i].lock != lock; i++)
		;
	if (i == MACHINE_LOCKS)
		machine_die("%s takes more than %u locks", side->name, MACHINE_LOCKS);
	takers[i].lock = lock;
	takers[i].cpus += !takers[i].by_cpu[cpu];
	takers[i].by_cpu[cpu] = true;
	nr_takers = max(nr_takers, i + 1);
}

static void forget_takers(void)
{
	memset(takers, 0, sizeof(takers));
	nr_takers = 0;
}

/* The largest number of CPUs that have taken the same lock */
static unsigned int most_cpus(void)
{
	unsigned int most = 0, i;

	for (i = 0; i < nr_takers; i++)
		most = max(most, takers[i].cpus);
	return most;
}

/*
 * Replace mappings, and count the maps. Slots are taken and returned where they were, so
 * only the CPUs are random. Returns the number of locks that maps took.
 */
static unsigned long count_wandering_maps(struct wander *wander)
{
	unsigned long before, locks = 0, n;
	unsigned int i, step;

	start();
	forget_takers();
	for (step = 0; step < WANDERINGS; step++) {
		i = wander_choose(wander);
		side->unmap(wander->dma[i], wander->size, TO_DEVICE);
		wander_choose(wander);
		before = machine_locks;
		COUNT(wander->dma[i] = side->map(source, wander->size, TO_DEVICE));
		locks += machine_locks - before;
		for (n = before; n < machine_locks; n++)
			took(machine_last_locks[n % MACHINE_LOCKS], machine_cpu);
	}
	return locks;
}

static void count_wandering_unmaps(struct wander *wander)
{
	unsigned int i, step;

	start();
	for (step = 0; step < WANDERINGS; step++) {
		i = wander_choose(wander);
		COUNT(side->unmap(wander->dma[i], wander->size, TO_DEVICE));
		wander_choose(wander);
		wander->dma[i] = side->map(source, wander->size, TO_DEVICE);
	}
}

static void count_wandering(const char *pool, unsigned int cpus)
{
	unsigned int areas = option("areas"), i;
	struct wander wander;
	unsigned long locks;
	char label[60];

	wander_init(&wander, side, source, cpus);
	/* The first round does not count. It brings the pool into a steady state. */
	count_wandering_maps(&wander);
	locks = count_wandering_maps(&wander);
	snprintf(label, sizeof(label), "map wandering, %s%u areas", pool, areas);
	stop(label, WANDERINGS);
	count_wandering_unmaps(&wander);
	snprintf(label, sizeof(label), "unmap wandering, %s%u areas", pool, areas);
	stop(label, WANDERINGS);
	printf("locks, %s%u areas|%s|%g\n", pool, areas, side->name,
	       (double)locks / WANDERINGS);
	printf("CPUs a lock, %s%u areas|%s|%u\n", pool, areas, side->name, most_cpus());
	for (i = 0; i < wander.nr; i++)
		side->unmap(wander.dma[i], wander.size, TO_DEVICE);
}

/* watch/bench count-locks areas= */
void count_locks(void)
{
	unsigned int i;

	boot_sides(64, option("areas"));
	source = source_alloc(SZ_1M) + 1024;
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		side = sides[i];
		count_nothing();
		count_wandering("", option("areas"));
		machine_cpu = 0;
		count_fragmented();
	}
}

/* restricted-watch/bench count-restricted areas= cpus= */
void count_restricted(void)
{
	unsigned int i;

	boot_sides(64, option("areas"));
	reserve_pools(64);
	source = source_alloc(PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		side = sides[i];
		count_nothing();
		count_wandering("restricted, ", option("cpus"));
	}
}
