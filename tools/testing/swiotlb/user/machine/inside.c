// SPDX-License-Identifier: GPL-2.0
/*
 * Checks that read the data structures of the software IO TLB.
 */
#include "machine.h"
#include "swiotlb_internal.h"

static void check_set_free(struct io_tlb_pool *pool, unsigned long i)
{
	unsigned long present = min(pool->nslabs - i * IO_TLB_SEGSIZE,
				    (unsigned long)IO_TLB_SEGSIZE);
	struct io_tlb_set *set = &pool->sets[i];
	unsigned int slot;

	spin_lock_irq(&set->area->lock);
	for (slot = 0; slot < IO_TLB_SEGSIZE; slot++) {
		bool is_free = set_is_free(set, slot), is_first = set_is_first(set, slot);

		if (is_free != (slot < present) || is_first != (slot >= present))
			machine_fail("slot %u of set %lu is lost", slot, i);
	}
	spin_unlock_irq(&set->area->lock);
}

/* Nothing is mapped. Check that all slots are free and that all counters agree. */
void contract_check_all_free(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table = mem->pools;
	struct io_tlb_pool *pool;
	unsigned int i, a;
	unsigned long s;

	if (swiotlb_mem_used(mem))
		machine_fail("%lu slots are in use and nothing is mapped", swiotlb_mem_used(mem));
	for (i = 0; table && i < table->nr; i++) {
		pool = table->pools[i];
		for (s = 0; s < DIV_ROUND_UP(pool->nslabs, IO_TLB_SEGSIZE); s++)
			check_set_free(pool, s);
		for (a = 0; a < pool->nareas; a++)
			if (pool->areas[a].used)
				machine_fail("area %u counts %u used slots", a, pool->areas[a].used);
	}
}
