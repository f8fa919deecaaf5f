// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: the connection of a pool's memory with devices.
 *
 * Where memory that is contiguous for the CPU is contiguous for devices as well,
 * there is nothing to do. Elsewhere a backend makes it so, in extents of 2 MiB where
 * it can, else half as large, and so on, down to a slot set.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "swiotlb_internal.h"

/* The largest extent to ask for */
#define IO_TLB_EXTENT_ORDER	get_order(SZ_2M)

static_assert(SZ_2M / IO_TLB_SET_BYTES <= U8_MAX, "&io_tlb_set.made counts the sets of an extent");

/**
 * struct supply - what has been found out about the memory that the backend has
 * @order:	It has nothing of a larger page order,
 * @bits:	and of that order nothing of fewer address bits.
 * @low_bits:	Address bits to begin with for each order.
 * @maddr_bits:	Address bits that are never exceeded.
 * @err:	Why it did not make the last pages that it was asked for contiguous.
 */
struct supply {
	unsigned int order;
	unsigned int bits;
	unsigned int low_bits;
	unsigned int maddr_bits;
	int err;
};

/* Nothing is known yet. */
static struct supply first_supply(struct io_tlb_pool *pool,
				  unsigned int low_bits)
{
	return (struct supply) {
		.order = IO_TLB_EXTENT_ORDER,
		.bits = max_t(unsigned int, low_bits,
			      IO_TLB_EXTENT_ORDER + PAGE_SHIFT),
		.low_bits = low_bits,
		.maddr_bits = pool->maddr_bits,
		.err = -ENOMEM,
	};
}

static unsigned long sets_of(unsigned int order)
{
	return 1UL << (order - IO_TLB_SET_ORDER);
}

static void *set_vaddr(struct io_tlb_pool *pool, unsigned long i)
{
	return pool->vaddr + i * IO_TLB_SET_BYTES;
}

/*
 * Are the sets where they are wanted as they are? A backend is not always all there
 * is: machine addresses may be physical ones, and it makes them usable in its own way.
 */
static bool is_extent(struct io_tlb_pool *pool, unsigned long i,
		      unsigned int order, u64 limit)
{
	phys_addr_t phys = slot_phys(pool, i * IO_TLB_SEGSIZE);
	phys_addr_t maddr = dma_phys_to_machine(phys);
	size_t bytes = PAGE_SIZE << order;

	return !dma_machine_is_phys() && IS_ALIGNED(maddr, IO_TLB_SET_BYTES) &&
		maddr <= limit && bytes - 1 <= limit - maddr &&
		dma_machine_contiguous(phys, bytes);
}

static void place_extent(struct io_tlb_pool *pool, unsigned long i,
			 unsigned int order, phys_addr_t maddr, bool made)
{
	unsigned long nsets = sets_of(order), n;

	for (n = 0; n < nsets; n++) {
		pool->sets[i + n].maddr = maddr + n * IO_TLB_SET_BYTES;
		pool->sets[i + n].made = made ? nsets - n : 0;
	}
}

static int try_extent(struct io_tlb_pool *pool, unsigned long i,
		      unsigned int order, unsigned int bits)
{
	u64 limit = DMA_BIT_MASK(bits);
	phys_addr_t maddr;
	int err;

	if (is_extent(pool, i, order, limit)) {
		maddr = dma_phys_to_machine(slot_phys(pool, i * IO_TLB_SEGSIZE));
		place_extent(pool, i, order, maddr, false);
		return 0;
	}

	err = pool->backend->make_contiguous(set_vaddr(pool, i), order, limit,
					     &maddr);
	if (!err)
		place_extent(pool, i, order, maddr, true);
	return err;
}

/* Try to make 2^@s->order pages from set @i on contiguous. */
static bool try_order(struct io_tlb_pool *pool, unsigned long i,
		      struct supply *s)
{
	for (; s->bits <= s->maddr_bits; s->bits++) {
		s->err = try_extent(pool, i, s->order, s->bits);
		if (!s->err)
			return true;
		/* These pages will not do with more bits either. */
		if (s->err == -EINVAL)
			return false;
	}
	return false;
}

/*
 * Make sets from set @i on contiguous, up to set @end. Where there was nothing for
 * the last extent there will be nothing for this one, so go on from there.
 *
 * Return: How many sets. 0 if there is no more memory, or if these pages cannot be
 * changed, as @s->err tells.
 */
static unsigned long connect_extent(struct io_tlb_pool *pool, unsigned long i,
				    unsigned long end, struct supply *s)
{
	for (;;) {
		if (i + sets_of(s->order) <= end && try_order(pool, i, s))
			return sets_of(s->order);
		if (s->order == IO_TLB_SET_ORDER)
			return 0;
		s->order--;
		s->bits = max(s->low_bits, s->order + PAGE_SHIFT);
	}
}

/* Undo what the backend did, in pieces as large as it did it. */
static void disconnect_sets(struct io_tlb_pool *pool, unsigned long from,
			    unsigned long to)
{
	unsigned long made, n;

	for (; from < to; from += n) {
		made = min(pool->sets[from].made, to - from);
		n = made ? rounddown_pow_of_two(made) : 1;
		if (made)
			pool->backend->undo_contiguous(set_vaddr(pool, from),
						       IO_TLB_SET_ORDER + ilog2(n));
	}
}

/*
 * Make the pool's sets contiguous, and tell how many are in the end, and in @err why
 * not all. If there is
 * not enough contiguous memory for all of them, leave some to others: coherent
 * memory is made of the same stuff.
 */
static unsigned long connect_sets(struct io_tlb_pool *pool,
				  unsigned int low_bits, int *err)
{
	unsigned long wanted = pool->nslabs / IO_TLB_SEGSIZE, got = 0, n, keep;
	struct supply supply = first_supply(pool, low_bits);

	do {
		n = connect_extent(pool, got, wanted, &supply);
		got += n;
	} while (n && got < wanted);
	*err = supply.err;
	if (got == wanted || supply.err == -EINVAL)
		return got;

	keep = got - got / 4;
	disconnect_sets(pool, keep, got);
	return keep;
}

static phys_addr_t highest_maddr(struct io_tlb_pool *pool, unsigned long nsets)
{
	phys_addr_t highest = 0;
	unsigned long i;

	for (i = 0; i < nsets; i++)
		highest = max(highest, pool->sets[i].maddr);
	return highest + IO_TLB_SET_BYTES - 1;
}

/* Leave an area only those of its sets that come before set @nsets. */
static void trim_area(struct io_tlb_area *area, unsigned long nsets)
{
	unsigned long before = area->nr_sets;

	area->first_set = min_t(unsigned long, area->first_set, nsets);
	area->nr_sets = min_t(unsigned long, before, nsets - area->first_set);
	area->nslots = area->nr_sets * IO_TLB_SEGSIZE;

	/* A search looks at the summary of eight sets at a time. */
	memset((u8 *)area->summary + area->nr_sets, 0, before - area->nr_sets);
}

/* Leave out all sets of the pool but the first @nsets. */
static void trim_pool(struct io_tlb_pool *pool, unsigned long nsets)
{
	unsigned long i;

	for (i = 0; i < pool->nareas; i++)
		trim_area(&pool->areas[i], nsets);
	for (i = nsets; i < pool->nslabs / IO_TLB_SEGSIZE; i++)
		set_init(&pool->sets[i], 0);
	pool->nslabs = nsets * IO_TLB_SEGSIZE;
	pool->end = slot_phys(pool, pool->nslabs);
}

static int connect_through_backend(struct io_tlb_pool *pool,
				   unsigned int low_bits)
{
	unsigned long nsets;
	int err;

	nsets = connect_sets(pool, low_bits, &err);
	if (nsets * IO_TLB_SEGSIZE < min(pool->nslabs, IO_TLB_MIN_SLABS)) {
		disconnect_sets(pool, 0, nsets);
		return err;
	}
	if (nsets * IO_TLB_SEGSIZE < pool->nslabs)
		trim_pool(pool, nsets);
	pool->maddr_max = highest_maddr(pool, nsets);
	return 0;
}

/* Slots that have the DMA address of a mapping from before a restore stay unused. */
static void avoid_stale(struct io_tlb_set *set)
{
	struct io_tlb_stale *stale = io_tlb_default_mem.stale;
	struct io_tlb_area *area = set->area;
	unsigned int closed;

	for (; stale; stale = stale->next) {
		if (stale->maddr != set->maddr)
			continue;
		spin_lock_irq(&area->lock);
		closed = set_withhold(set, stale->used);
		WRITE_ONCE(area->used, area->used + closed);
		spin_unlock_irq(&area->lock);
	}
}

static void avoid_stale_sets(struct io_tlb_pool *pool)
{
	unsigned long i;

	for (i = 0; i < pool->nslabs / IO_TLB_SEGSIZE; i++)
		avoid_stale(&pool->sets[i]);
}

/**
 * swiotlb_pool_connect() - make the memory of a pool contiguous for devices
 * @pool:	Initialised pool that nobody can see yet.
 * @low_bits:	Number of bits of machine addresses that the backend tries first, before
 *		larger ones up to @pool->maddr_bits.
 *
 * Where there is not enough contiguous memory for all of the pool, the rest is
 * left out. What the memory held is lost.
 *
 * Context: Boot, or may sleep. With no backend: any.
 * Return: 0. If there is not all of the pool and not even %IO_TLB_MIN_SLABS, -EINVAL
 * if that is because of these pages, else -ENOMEM; nothing is left to undo then.
 */
int swiotlb_pool_connect(struct io_tlb_pool *pool, unsigned int low_bits)
{
	int err;

	might_sleep_if(pool->backend);
	if (pool->backend) {
		err = connect_through_backend(pool, low_bits);
		if (err)
			return err;
		avoid_stale_sets(pool);
	}
	pool->longest = swiotlb_longest_run(pool);
	return 0;
}

/**
 * swiotlb_pool_disconnect() - undo swiotlb_pool_connect()
 * @pool:	Pool that is not used any more.
 *
 * Context: Boot, or may sleep. With no backend: any.
 */
void swiotlb_pool_disconnect(struct io_tlb_pool *pool)
{
	might_sleep_if(pool->backend);
	if (pool->backend)
		disconnect_sets(pool, 0, pool->nslabs / IO_TLB_SEGSIZE);
}

/*
 * What was mapped before a restore may still be unmapped, by a DMA address that leads
 * elsewhere now. See to it that it never leads to another mapping.
 */
static void remember_used(struct io_tlb_mem *mem, const struct io_tlb_set *set,
			  phys_addr_t maddr)
{
	struct io_tlb_stale *stale = kmalloc(sizeof(*stale), GFP_NOIO);

	if (!stale) {
		pr_err("no memory to remember what was mapped at %pa\n", &maddr);
		return;
	}
	stale->maddr = maddr;
	stale->used[0] = ~set_free_slots(set, 0);
	stale->used[1] = ~set_free_slots(set, 1);
	stale->next = mem->stale;
	mem->stale = stale;
}

/* No allocation is in the set any more, and who returns one is told so. */
static void void_set(struct io_tlb_pool *pool, unsigned long i)
{
	struct io_tlb_set *set = &pool->sets[i];
	struct io_tlb_area *area = set->area;

	spin_lock_irq(&area->lock);
	WRITE_ONCE(area->used, area->used - (IO_TLB_SEGSIZE - set_nr_free(set)));
	set_forget(set);
	spin_unlock_irq(&area->lock);

	memset(&pool->slots[i * IO_TLB_SEGSIZE], 0,
	       IO_TLB_SEGSIZE * sizeof(struct io_tlb_slot));
}

/* What is left of an allocation ends with the set. */
static void end_span(struct io_tlb_set *set)
{
	spin_lock_irq(&set->area->lock);
	set_cut(set);
	spin_unlock_irq(&set->area->lock);
}

/*
 * Take back what is mapped in sets that do not have the machine address @was any more, or
 * that are lost, from set @end on; and what goes on from there.
 */
static void void_moved(struct io_tlb_pool *pool, unsigned long end,
		       const phys_addr_t *was)
{
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, i, nslots = 0;
	bool moved = false, goes_on = false;

	for (i = 0; i < nsets; i++) {
		struct io_tlb_set *set = &pool->sets[i];
		unsigned int used = IO_TLB_SEGSIZE - set_nr_free(set);
		phys_addr_t maddr = was ? was[i] : set->maddr;

		moved = i >= end || set->maddr != maddr || (moved && goes_on);
		goes_on = set_goes_on(set);
		if (!moved || !used)
			continue;
		remember_used(&io_tlb_default_mem, set, maddr);
		void_set(pool, i);
		if (i)
			end_span(set - 1);
		nslots += used;
	}
	if (nslots)
		pr_warn("%lu slots at %pa were mapped before the restore: taken back, without what devices wrote\n",
			nslots, &pool->start);
}

/* No search finds slots in sets from @from on. They have no allocations either. */
static void retire_sets(struct io_tlb_pool *pool, unsigned long from)
{
	unsigned long i;

	for (i = from; i < pool->nslabs / IO_TLB_SEGSIZE; i++) {
		struct io_tlb_set *set = &pool->sets[i];

		spin_lock_irq(&set->area->lock);
		set->maddr = IO_TLB_NO_MADDR;
		*summary_byte(set->area, i - set->area->first_set) = 0;
		spin_unlock_irq(&set->area->lock);
	}
}

/* Sets before @end are connected: a search finds something again in those that were lost. */
static void revive_sets(struct io_tlb_pool *pool, unsigned long end)
{
	struct io_tlb_area *area;
	unsigned long i;

	for (i = 0; i < end; i++) {
		area = pool->sets[i].area;
		spin_lock_irq(&area->lock);
		summary_forget(area, i - area->first_set);
		spin_unlock_irq(&area->lock);
	}
}

/* How many sets have a machine address. The others were lost: they are a pool's last. */
static unsigned long usable_sets(struct io_tlb_pool *pool)
{
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, i, n = 0;

	while (n < nsets && pool->sets[n].maddr != IO_TLB_NO_MADDR)
		n++;
	for (i = n; i < nsets; i++)
		WARN_ON_ONCE(pool->sets[i].maddr != IO_TLB_NO_MADDR);
	return n;
}

/*
 * Where all sets are lost, nothing has an address that could have changed, but there may
 * be memory for them now.
 */
static bool has_moved(struct io_tlb_pool *pool)
{
	unsigned long nsets = usable_sets(pool), i;
	phys_addr_t phys;

	if (!nsets)
		return true;
	for (i = 0; i < nsets; i++) {
		phys = slot_phys(pool, i * IO_TLB_SEGSIZE);
		if (dma_phys_to_machine(phys) != pool->sets[i].maddr ||
		    !dma_machine_contiguous(phys, IO_TLB_SET_BYTES))
			return true;
	}
	return false;
}

/* Connect extents again, what is in them preserved; tells how many sets. */
static unsigned long reconnect_sets(struct io_tlb_pool *pool, void *copy)
{
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, got = 0, n;
	struct supply supply = first_supply(pool, min_t(unsigned int,
							pool->maddr_bits,
							IO_TLB_LOW_BITS));
	size_t bytes;

	do {
		bytes = min(nsets - got, sets_of(supply.order)) * IO_TLB_SET_BYTES;
		memcpy(copy, set_vaddr(pool, got), bytes);
		n = connect_extent(pool, got, nsets, &supply);
		memcpy(set_vaddr(pool, got), copy, bytes);
		got += n;
	} while (n && got < nsets);
	return got;
}

static void reconnect_pool(struct io_tlb_pool *pool)
{
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, got = 0, i;
	phys_addr_t *was = kvmalloc_array(nsets, sizeof(*was),
					  GFP_NOIO | __GFP_NOWARN);
	void *copy = kvmalloc(PAGE_SIZE << IO_TLB_EXTENT_ORDER,
			      GFP_NOIO | __GFP_NOWARN);

	for (i = 0; was && i < nsets; i++)
		was[i] = pool->sets[i].maddr;
	if (was && copy)
		got = reconnect_sets(pool, copy);
	void_moved(pool, got, was);
	kvfree(copy);
	kvfree(was);
	revive_sets(pool, got);
	/* No device reaches what is lost. */
	pool->maddr_max = got ? highest_maddr(pool, got) : IO_TLB_NO_MADDR;
	if (got < nsets) {
		pr_err("%lu of %lu KiB at %pa cannot be made contiguous again, doing without\n",
		       (nsets - got) * (IO_TLB_SET_BYTES / SZ_1K),
		       nsets * (IO_TLB_SET_BYTES / SZ_1K), &pool->start);
		retire_sets(pool, got);
	}
	pool->longest = swiotlb_longest_run(pool);
}

/**
 * swiotlb_reconnect() - the memory under the pools has been replaced
 *
 * For a guest that has been restored from an image: all its memory may have other
 * machine addresses, and what was contiguous is so no longer. A device that was
 * given one before must not use it any more. If a mapping was left over, its slots
 * are free again. Unmapping it does nothing then, and never hits another mapping.
 *
 * Context: May sleep. Takes &io_tlb_mem.pools_mutex. No mapping is made, and no pool
 * added, meanwhile: tasks and devices are still frozen.
 */
void swiotlb_reconnect(void)
{
	struct io_tlb_mem *mem = &io_tlb_default_mem;
	struct io_tlb_pool_table *table;
	unsigned int i;

	mutex_lock(&mem->pools_mutex);
	table = own_pools(mem);
	for (i = 0; table && i < table->nr; i++)
		if (table->pools[i]->backend && has_moved(table->pools[i]))
			reconnect_pool(table->pools[i]);
	for (i = 0; table && i < table->nr; i++)
		avoid_stale_sets(table->pools[i]);
	mutex_unlock(&mem->pools_mutex);
}
