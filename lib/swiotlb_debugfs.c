// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: the counters in debugfs, and how the high-water mark is kept.
 *
 * There is one high-water mark for all areas, but a mapping must not write to memory that
 * all areas share. So each area has an allowance. It is never less than the number of
 * slots in use, and follows that number in steps. Only a step changes the sum of all
 * allowances, &io_tlb_mem.allowed. The mark is the highest value of that sum.
 *
 * So the mark is never too low. It is too high by the unused allowances: at most 64 slots
 * an area, and at most a sixteenth of the area. A step up allows at most a quarter more
 * than is in use, so the mark of a little-used pool is nearly exact.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/minmax.h>

#include "swiotlb_internal.h"

/* How many slots more or fewer an area may use before its allowance changes */
static unsigned int step_of(const struct io_tlb_area *area)
{
	return clamp(area->nslots / 32, 1U, 32U);
}

static void raise_hiwater(struct io_tlb_mem *mem, long nslabs)
{
	long hiwater = atomic_long_read(&mem->used_hiwater);

	while (nslabs > hiwater &&
	       !atomic_long_try_cmpxchg(&mem->used_hiwater, &hiwater, nslabs))
		;
}

/**
 * swiotlb_allow() - let more slots or fewer be in use
 * @mem:	Software IO TLB.
 * @nslabs:	Number of slots; negative for fewer.
 *
 * Context: Any.
 */
void swiotlb_allow(struct io_tlb_mem *mem, long nslabs)
{
	long allowed = atomic_long_add_return(nslabs, &mem->allowed);

	if (nslabs > 0)
		raise_hiwater(mem, allowed);
}

static void set_allowance(struct io_tlb_area *area, unsigned int allowance)
{
	unsigned int most_unused = 2 * step_of(area);
	int more = allowance - area->allowance;

	lockdep_assert_held(&area->lock);
	VM_WARN_ON_ONCE(allowance < area->used);
	area->allowance = allowance;
	area->keep_above = max(allowance, most_unused) - most_unused;
	swiotlb_allow(area->mem, more);
}

/**
 * swiotlb_raise_allowance() - allow an area the slots that it uses
 * @area:	Area that has exceeded its allowance.
 *
 * Context: Any. The area's lock is held.
 */
void swiotlb_raise_allowance(struct io_tlb_area *area)
{
	unsigned int unused = min(step_of(area), area->used / 4);

	set_allowance(area, min(area->used + unused, area->nslots));
}

/**
 * swiotlb_lower_allowance() - take unused allowance from an area
 * @area:	Area that uses less than &io_tlb_area.keep_above.
 *
 * Context: Any. The area's lock is held.
 */
void swiotlb_lower_allowance(struct io_tlb_area *area)
{
	set_allowance(area, area->used + step_of(area));
}

/**
 * swiotlb_return_allowance() - take all allowance from the areas of a pool
 * @pool:	Pool that has been closed.
 *
 * Context: May sleep. Takes the locks of the pool's areas, one after the other.
 */
void swiotlb_return_allowance(struct io_tlb_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nareas; i++) {
		spin_lock_irq(&pool->areas[i].lock);
		set_allowance(&pool->areas[i], 0);
		spin_unlock_irq(&pool->areas[i].lock);
	}
}

static void reset_allowances(struct io_tlb_pool *pool)
{
	struct io_tlb_area *area;

	for (area = pool->areas; area < pool->areas + pool->nareas; area++) {
		spin_lock_irq(&area->lock);
		set_allowance(area, area->used);
		spin_unlock_irq(&area->lock);
	}
}

/* Start anew from the slots that are in use now. */
static void reset_hiwater(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; table && i < table->nr; i++)
		reset_allowances(table->pools[i]);
	rcu_read_unlock();

	atomic_long_set(&mem->used_hiwater, 0);
	/* Read the sum after the reset: a step in between is in the sum then. */
	smp_mb();
	raise_hiwater(mem, atomic_long_read(&mem->allowed));
}

/*
 * The files
 */

static int read_used(void *mem, u64 *nslabs)
{
	*nslabs = swiotlb_mem_used(mem);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(used_fops, read_used, NULL, "%llu\n");

static int read_hiwater(void *data, u64 *nslabs)
{
	const struct io_tlb_mem *mem = data;

	*nslabs = atomic_long_read(&mem->used_hiwater);
	return 0;
}

/* Accepts only a zero, which resets the mark. */
static int write_hiwater(void *data, u64 nslabs)
{
	if (nslabs)
		return -EINVAL;

	reset_hiwater(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(hiwater_fops, read_hiwater, write_hiwater, "%llu\n");

static int read_transient(void *data, u64 *nslabs)
{
	const struct io_tlb_mem *mem = data;

	*nslabs = atomic_long_read(&mem->transient_nslabs);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(transient_fops, read_transient, NULL, "%llu\n");

/**
 * swiotlb_create_debugfs_files() - show the counters of a software IO TLB
 * @mem:	Software IO TLB.
 * @dirname:	Name of the directory, below that of the default one.
 *
 * It need not have a pool yet: the default one may get its first pool later.
 *
 * Context: May sleep.
 */
void swiotlb_create_debugfs_files(struct io_tlb_mem *mem, const char *dirname)
{
	struct dentry *dir;

	dir = debugfs_create_dir(dirname, io_tlb_default_mem.debugfs);
	mem->debugfs = dir;
	debugfs_create_ulong("io_tlb_nslabs", 0400, dir, &mem->nslabs);
	debugfs_create_file("io_tlb_used", 0400, dir, mem, &used_fops);
	debugfs_create_file("io_tlb_used_hiwater", 0600, dir, mem,
			    &hiwater_fops);
	if (IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC))
		debugfs_create_file("io_tlb_transient_nslabs", 0400, dir, mem,
				    &transient_fops);
}

/* After debugfs, before drivers: the directories of restricted pools are in this one. */
static int __init show_default_mem(void)
{
	swiotlb_create_debugfs_files(&io_tlb_default_mem, "swiotlb");
	return 0;
}
postcore_initcall(show_default_mem);
