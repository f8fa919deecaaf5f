// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of more than a slot set. Threads take slots of the same sets, each with one
 * lock at a time, while pools are added and freed.
 */
#include <sched.h>

#include "threads.h"

#define USERS		4
#define STEPS		60
#define BUFFER		((size_t)900 << 10)

static struct user {
	pthread_t thread;
	unsigned int cpu;
	u64 random;
	phys_addr_t buffer;
} users[USERS];

/* The device writes a byte, and a sync copies it. No other thread writes there. */
static void check_byte(struct device *dev, phys_addr_t orig, dma_addr_t dma, size_t at)
{
	u8 *original = machine_memory(orig + at), byte = ~*original;

	EXPECT(machine_dma(dev, dma + at, &byte, 1, true));
	swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma) + at, 1, DMA_BIDIRECTIONAL);
	EXPECT(*original == byte);
	COUNT(syncs);
}

static void use_one(struct user *user)
{
	u64 random = machine_random(&user->random);
	size_t size = 1 + (random >> 8) % (random % 4 ? BUFFER : 20000), at;
	struct device *dev = &devices[random % 2];
	struct io_tlb_pool *pool;
	dma_addr_t dma;

	dma = swiotlb_map(dev, user->buffer, size, DMA_BIDIRECTIONAL, DMA_ATTR_NO_WARN);
	if (dma == DMA_MAPPING_ERROR) {
		COUNT(failures);
		return;
	}
	COUNT(maps);
	contract_check(dev, user->buffer, size, 0, dma);
	pool = swiotlb_find_pool(dev, dma_to_phys(dev, dma));
	EXPECT(pool);
	if (pool->transient)
		COUNT(transients);
	for (at = 0; at < size; at += IO_TLB_SET_BYTES / 2) {
		check_byte(dev, user->buffer, dma, at);
		sched_yield();
	}
	check_byte(dev, user->buffer, dma, size - 1);

	/* All of it is unmapped, whatever size is passed. */
	at = machine_random(&user->random) % size;
	swiotlb_tbl_unmap_single(dev, dma_to_phys(dev, dma), size - at, DMA_BIDIRECTIONAL, 0);
}

static void *use_spans(void *arg)
{
	struct user *user = arg;
	unsigned int i;

	machine_set_cpu(user->cpu);
	machine_thread_start();
	for (i = 0; i < STEPS; i++)
		use_one(user);
	machine_thread_stop();
	return NULL;
}

void special_spans(const struct scenario *scenario, u64 seed)
{
	unsigned int i;

	round_boot(scenario, seed);
	for (i = 0; i < USERS; i++) {
		users[i].cpu = i;
		users[i].random = seed + i;
		users[i].buffer = machine_alloc(BUFFER, __GFP_HIGHMEM);
		EXPECT(users[i].buffer != DMA_PHYS_NONE);
	}
	round_start_services(scenario);
	for (i = 0; i < USERS; i++)
		round_start(&users[i].thread, use_spans, &users[i]);
	for (i = 0; i < USERS; i++)
		round_join(users[i].thread);
	round_end_services();
	for (i = 0; i < USERS; i++)
		machine_free(users[i].buffer, BUFFER);
	round_check(scenario);
}
