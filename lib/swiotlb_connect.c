// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: make the memory of a pool contiguous for devices.
 *
 * On most platforms memory that is contiguous for the CPU is contiguous for devices.
 * Elsewhere a backend makes it contiguous, in extents of 2 MiB if it can, else in extents
 * half as large, and so on, down to a slot set.
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
 * struct supply - what is known about the memory that the backend has
 * @order:	Largest page order that has not been refused.
 * @bits:	Fewest address bits that have not been refused at @order.
 * @low_bits:	Address bits that are tried first for each order.
 * @maddr_bits:	Address bits that are tried last.
 * @err:	Error of the last pages that were refused.
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
 * Can the sets stay as they are: contiguous, aligned and below @limit? If machine
 * addresses are physical ones, only the backend knows, so it is always asked.
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
		/* With more bits these pages would be refused too. */
		if (s->err == -EINVAL)
			return false;
	}
	return false;
}

/*
 * Make sets from set @i on contiguous, up to set @end. Starts with the order and the
 * bits that the last extent had: larger orders and fewer bits have been refused.
 *
 * Return: How many sets. 0 if all has been refused; @s->err says why.
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

/* Have the backend undo its extents, each in one call where possible. */
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
 * Make the pool's sets contiguous. If there is not enough contiguous memory for all of
 * them, give a quarter of it back: coherent memory comes from the same place.
 *
 * Return: How many sets are contiguous. Stores in @err why not all.
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

/* Close the slots whose machine address a mapping had before a restore. */
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
 * If there is not enough contiguous memory for all of the pool, the pool becomes
 * smaller. The content of the memory is lost.
 *
 * Context: Boot, or may sleep. With no backend: any.
 * Return: 0. An error if the pool would have fewer slots than %IO_TLB_MIN_SLABS, or than
 * were asked for if that is less: -EINVAL if other pages may do better, else -ENOMEM.
 * Then there is nothing to undo.
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
 * A driver may still unmap what it mapped before a restore. The DMA address that it has
 * leads elsewhere now. Remember the address, so that no new mapping gets it.
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

/* Drop all allocations of a set. To return one of them is reported from now on. */
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

/* The allocation in the last slot, if any, ends with the set. */
static void end_span(struct io_tlb_set *set)
{
	spin_lock_irq(&set->area->lock);
	set_cut(set);
	spin_unlock_irq(&set->area->lock);
}

/*
 * Drop the mappings in sets whose machine address is no longer the one in @was, and in the
 * sets from @end on, which are lost. Drop also the parts of these mappings in later sets.
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

/* Retire the sets from @from on: no search finds slots there. They have no allocations. */
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

/* The sets before @end are contiguous again: searches find slots there. */
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

/* Make extents contiguous again and keep their content. Returns how many sets. */
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
	/* No device reaches the lost sets. */
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
 * swiotlb_reconnect() - make the pools contiguous again after a restore
 *
 * For a guest that has been restored from an image. All its memory may have other
 * machine addresses, and need not be contiguous any longer. No device may use a machine
 * address from before. If a mapping was left over, its slots become free. To unmap it
 * later does nothing, and never hits another mapping.
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
