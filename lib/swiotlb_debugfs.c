// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: how many slots are in use, and how many ever were.
 *
 * The high-water mark is that of all areas together, but a mapping must not touch
 * anything that is shared by all areas. Therefore each area has an allowance, up
 * to which it may use slots without asking, and all allowances together are never
 * more than the high-water mark. Only the mapping that would exceed its area's
 * allowance takes the global lock and looks for unused allowance in other areas;
 * the mark is raised when there is none left. Unused allowance is taken by halves
 * at least, so areas that are busy in turns do not ask for long.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/minmax.h>

#include "swiotlb_internal.h"

/**
 * swiotlb_pool_used() - number of slots in use
 * @pool:	Pool.
 *
 * Context: Any.
 * Return: Number of slots, perhaps off by what is mapped and unmapped meanwhile.
 */
unsigned long swiotlb_pool_used(struct io_tlb_pool *pool)
{
	unsigned long used = 0;
	unsigned int i;

	for (i = 0; i < pool->nareas; i++)
		used += READ_ONCE(pool->areas[i].used);
	return used;
}

/**
 * swiotlb_mem_used() - number of slots in use
 * @mem:	Software IO TLB.
 *
 * Areas are looked at one after the other, so the sum may be off by what is
 * mapped and unmapped meanwhile.
 *
 * Context: Any.
 * Return: Number of slots, those in transient pools included.
 */
unsigned long swiotlb_mem_used(struct io_tlb_mem *mem)
{
	unsigned long used = atomic_long_read(&mem->transient_nslabs);
	struct io_tlb_pool_table *table;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; table && i < table->nr; i++)
		used += swiotlb_pool_used(table->pools[i]);
	rcu_read_unlock();
	return used;
}

#ifdef CONFIG_DEBUG_FS

static unsigned int take_unused(struct io_tlb_area *area, unsigned int need)
{
	unsigned int unused, taken = 0;

	spin_lock(&area->lock);
	if (area->used < area->allowance) {
		unused = area->allowance - area->used;
		taken = min(unused, max(need, unused / 2));
		area->allowance -= taken;
	}
	spin_unlock(&area->lock);
	return taken;
}

/*
 * Collect @need slots of allowance, or more, from all areas but @except; fewer if
 * they have no more.
 */
static unsigned int collect_unused(struct io_tlb_mem *mem, unsigned int need,
				   struct io_tlb_area *except)
{
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	unsigned int taken = 0, i, a;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; table && i < table->nr; i++) {
		pool = table->pools[i];
		for (a = 0; a < pool->nareas && taken < need; a++) {
			if (&pool->areas[a] != except)
				taken += take_unused(&pool->areas[a],
						     need - taken);
		}
	}
	rcu_read_unlock();
	return taken;
}

/* Let some area have what is used nowhere. */
static void give_allowance(struct io_tlb_mem *mem, unsigned int nslabs)
{
	struct io_tlb_area *area = &mem->defpool->areas[0];

	spin_lock(&area->lock);
	area->allowance += nslabs;
	spin_unlock(&area->lock);
}

/* Under @mem->hiwater_lock, but read without it */
static void raise_hiwater(struct io_tlb_mem *mem, unsigned long nslabs)
{
	WRITE_ONCE(mem->used_hiwater, mem->used_hiwater + nslabs);
}

/**
 * swiotlb_raise_allowance() - let an area use what it uses
 * @mem:	Software IO TLB of the area.
 * @area:	Area that has exceeded its allowance.
 *
 * Context: Any, with no area's lock held. Takes @mem->hiwater_lock and the locks
 * of areas, one at a time.
 */
void swiotlb_raise_allowance(struct io_tlb_mem *mem, struct io_tlb_area *area)
{
	unsigned int need, taken;
	unsigned long flags;

	spin_lock_irqsave(&mem->hiwater_lock, flags);

	need = max_t(int, READ_ONCE(area->used) - area->allowance, 0);
	taken = collect_unused(mem, need, area);

	spin_lock(&area->lock);
	area->allowance += taken;
	if (area->used > area->allowance) {
		raise_hiwater(mem, area->used - area->allowance);
		area->allowance = area->used;
	}
	spin_unlock(&area->lock);

	spin_unlock_irqrestore(&mem->hiwater_lock, flags);
}

/**
 * swiotlb_account_transient() - account for slots in transient pools
 * @mem:	Software IO TLB of the device.
 * @nslabs:	Number of slots; negative when they are freed.
 *
 * Context: Any. Takes the same locks as swiotlb_raise_allowance().
 */
void swiotlb_account_transient(struct io_tlb_mem *mem, long nslabs)
{
	unsigned long flags;
	unsigned int taken;

	spin_lock_irqsave(&mem->hiwater_lock, flags);
	atomic_long_add(nslabs, &mem->transient_nslabs);
	if (nslabs < 0) {
		give_allowance(mem, -nslabs);
	} else {
		taken = collect_unused(mem, nslabs, NULL);
		if (taken < nslabs)
			raise_hiwater(mem, nslabs - taken);
		else
			give_allowance(mem, taken - nslabs);
	}
	spin_unlock_irqrestore(&mem->hiwater_lock, flags);
}

/**
 * swiotlb_return_allowance() - give the allowance of a pool to other areas
 * @mem:	Software IO TLB of the pool.
 * @pool:	Pool in which nothing will be in use any more.
 *
 * Context: May sleep. Takes the same locks as swiotlb_raise_allowance().
 */
void swiotlb_return_allowance(struct io_tlb_mem *mem, struct io_tlb_pool *pool)
{
	struct io_tlb_area *area;
	unsigned int i, all;

	spin_lock_irq(&mem->hiwater_lock);
	for (i = 0; i < pool->nareas; i++) {
		area = &pool->areas[i];
		spin_lock(&area->lock);
		all = area->allowance;
		area->allowance = 0;
		spin_unlock(&area->lock);
		give_allowance(mem, all);
	}
	spin_unlock_irq(&mem->hiwater_lock);
}

/* Start anew from what is in use now. */
static void reset_hiwater(struct io_tlb_mem *mem)
{
	unsigned long hiwater = atomic_long_read(&mem->transient_nslabs);
	struct io_tlb_pool_table *table;
	struct io_tlb_area *area;
	unsigned int i, a;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; i < table->nr; i++) {
		for (a = 0; a < table->pools[i]->nareas; a++) {
			area = &table->pools[i]->areas[a];
			spin_lock(&area->lock);
			area->allowance = area->used;
			hiwater += area->used;
			spin_unlock(&area->lock);
		}
	}
	rcu_read_unlock();
	WRITE_ONCE(mem->used_hiwater, hiwater);
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

	*nslabs = READ_ONCE(mem->used_hiwater);
	return 0;
}

/* Takes a zero, for a new start. */
static int write_hiwater(void *data, u64 nslabs)
{
	struct io_tlb_mem *mem = data;

	if (nslabs)
		return -EINVAL;

	spin_lock_irq(&mem->hiwater_lock);
	reset_hiwater(mem);
	spin_unlock_irq(&mem->hiwater_lock);
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
 * Context: May sleep.
 */
void swiotlb_create_debugfs_files(struct io_tlb_mem *mem, const char *dirname)
{
	struct dentry *dir;

	dir = debugfs_create_dir(dirname, io_tlb_default_mem.debugfs);
	mem->debugfs = dir;
	/* The default one may have no slots, and be there for others' sake. */
	if (!mem->nslabs)
		return;

	debugfs_create_ulong("io_tlb_nslabs", 0400, dir, &mem->nslabs);
	debugfs_create_file("io_tlb_used", 0400, dir, mem, &used_fops);
	debugfs_create_file("io_tlb_used_hiwater", 0600, dir, mem,
			    &hiwater_fops);
	if (IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC))
		debugfs_create_file("io_tlb_transient_nslabs", 0400, dir, mem,
				    &transient_fops);
}

static int __init show_default_mem(void)
{
	swiotlb_create_debugfs_files(&io_tlb_default_mem, "swiotlb");
	return 0;
}
late_initcall(show_default_mem);

#endif /* CONFIG_DEBUG_FS */
