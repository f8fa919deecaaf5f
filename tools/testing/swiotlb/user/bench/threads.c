// SPDX-License-Identifier: GPL-2.0
/*
 * One thread and two, each on a CPU of its own.
 */
#include <pthread.h>
#include <unistd.h>

#include "cases.h"
#include "load.h"
#include "machine.h"

#define PHASE_US	5000
#define RING		256	/* mappings on their way from thread to thread, a power of two */
#define LOOK		32	/* work between two checks whether time is over */

/* Written by one thread, read by the other: a cache line each */
static struct {
	unsigned long produced __aligned(64);
	unsigned long consumed __aligned(64);
	dma_addr_t dma[RING] __aligned(64);
} ring;

static enum { WAIT, WORK, STOP } order __aligned(64);
static unsigned int ready;

/* What a thread does. @work returns how much was done. */
struct worker {
	unsigned long (*work)(const struct worker *worker);
	const struct side *side;
	unsigned int cpu;
	unsigned int as_cpu;	/* CPU that the kernel's code sees */
	phys_addr_t source;
	size_t size;
	unsigned long done;
};

static unsigned long loop_in_registers(const struct worker *worker)
{
	u64 random = 1;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		next_random(&random);
	barrier();
	return random ? 1 : 0;
}

static unsigned long map_and_unmap(const struct worker *worker)
{
	dma_addr_t dma;
	unsigned int i;

	for (i = 0; i < LOOK; i++) {
		dma = worker->side->map(worker->source, worker->size, TO_DEVICE);
		worker->side->unmap(dma, worker->size, TO_DEVICE);
	}
	return LOOK;
}

static unsigned long map_for_other(const struct worker *worker)
{
	/* Pairs with the release of unmap_of_other(): an entry is not reused before. */
	unsigned long consumed = smp_load_acquire(&ring.consumed);
	unsigned long room = RING - (ring.produced - consumed), i;

	for (i = 0; i < room; i++) {
		ring.dma[ring.produced % RING] =
			worker->side->map(worker->source, worker->size, TO_DEVICE);
		/* The other thread sees the address, and what is behind it. */
		smp_store_release(&ring.produced, ring.produced + 1);
	}
	return 0;
}

static unsigned long unmap_of_other(const struct worker *worker)
{
	/* Pairs with the release of map_for_other(). */
	unsigned long there = smp_load_acquire(&ring.produced) - ring.consumed, i;

	for (i = 0; i < there; i++) {
		worker->side->unmap(ring.dma[ring.consumed % RING], worker->size, TO_DEVICE);
		/* The entry may be used again. */
		smp_store_release(&ring.consumed, ring.consumed + 1);
	}
	return there;
}

static void *run(void *with)
{
	struct worker *worker = with;

	run_on(worker->cpu);
	machine_cpu = worker->as_cpu;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (READ_ONCE(order) == WAIT)
		cpu_relax();
	worker->done = 0;
	while (READ_ONCE(order) == WORK)
		worker->done += worker->work(worker);
	return NULL;
}

/* Work per second of all of them together */
static double phase(struct worker *workers, unsigned int nr)
{
	pthread_t threads[2];
	double done = 0;
	unsigned int i;
	u64 start, end;

	ready = 0;
	order = WAIT;
	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, run, &workers[i]))
			machine_die("no thread");
	while (READ_ONCE(ready) < nr)
		usleep(50);
	start = now_ns();
	WRITE_ONCE(order, WORK);
	usleep(PHASE_US);
	WRITE_ONCE(order, STOP);
	end = now_ns();
	for (i = 0; i < nr; i++) {
		pthread_join(threads[i], NULL);
		done += workers[i].done;
	}
	return done * 1e9 / (end - start);
}

static void turn(const char *label, struct worker *workers, unsigned int nr)
{
	printf("%s|%s|%.0f\n", label, workers->side->name, phase(workers, nr));
}

/*
 * bench threads areas= restricted= size= turns=
 *
 * Prints "label|side|pairs per second". Two threads on one area both pretend to be on the
 * same CPU.
 */
void time_threads(void)
{
	unsigned int turns = option("turns"), size = option("size"), i;
	phys_addr_t source[2];

	boot_sides(64, option("areas"));
	if (option("restricted"))
		reserve_pools(64);
	source[0] = source_alloc(size);
	source[1] = source_alloc(size);
	for (i = 0; i < turns * ARRAY_SIZE(sides); i++) {
		const struct side *side = sides[i % ARRAY_SIZE(sides)];
		struct worker own[2] = {
			{ map_and_unmap, side, 0, 0, source[0], size },
			{ map_and_unmap, side, 1, 1, source[1], size },
		};
		struct worker shared[2] = {
			{ map_and_unmap, side, 0, 0, source[0], size },
			{ map_and_unmap, side, 1, 0, source[1], size },
		};
		struct worker across[2] = {
			{ map_for_other, side, 0, 0, source[0], size },
			{ unmap_of_other, side, 1, 1, source[1], size },
		};

		turn("one", own, 1);
		turn("own", own, 2);
		turn("shared", shared, 2);
		turn("across", across, 2);
		unmap_of_other(&across[1]);
	}
}

/* bench loops turns=: the same for a loop that touches no memory at all */
void time_loops(void)
{
	struct worker workers[2] = {
		{ loop_in_registers, sides[0], 0, 0 }, { loop_in_registers, sides[0], 1, 1 },
	};
	unsigned int turns = option("turns"), i;

	for (i = 0; i < turns; i++) {
		printf("one|loop|%.0f\n", phase(workers, 1));
		printf("two|loop|%.0f\n", phase(workers, 2));
	}
}
