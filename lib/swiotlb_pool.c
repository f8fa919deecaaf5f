// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: what all pools have in common. Their metadata, the connection of
 * their memory with devices, and the table in which mappings find them.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "swiotlb_internal.h"

/**
 * swiotlb_limit_areas() - how many areas a pool of a given size can have
 * @nareas:	Wanted number of areas, a power of two.
 * @nslabs:	Slots in the pool.
 *
 * Return: A power of two that leaves at least one set to each area.
 */
unsigned int swiotlb_limit_areas(unsigned int nareas, unsigned long nslabs)
{
	unsigned long nsets = nslabs / IO_TLB_SEGSIZE;

	if (!nsets)
		return 1;
	return min_t(unsigned long, nareas, rounddown_pow_of_two(nsets));
}

/* Where in the allocation that holds them a pool and its arrays are */
struct pool_layout {
	unsigned long nsets;
	unsigned long area_sets;
	unsigned long area_windows;
	size_t areas;
	size_t summary;
	size_t area_summary;
	size_t sets;
	size_t slots;
	size_t size;
};

static void lay_out_pool(struct pool_layout *l, unsigned long nslabs,
			 unsigned int nareas)
{
	l->nsets = DIV_ROUND_UP(nslabs, IO_TLB_SEGSIZE);
	l->area_sets = DIV_ROUND_UP(l->nsets, nareas);
	l->area_windows = DIV_ROUND_UP(l->area_sets, IO_TLB_WINDOW_SETS);
	/* Areas do not share a cache line of summary either. */
	l->area_summary = ALIGN(l->area_windows * (IO_TLB_WINDOW_SETS + 1),
				max_t(size_t, SMP_CACHE_BYTES, sizeof(u64)));

	l->areas = ALIGN(sizeof(struct io_tlb_pool), SMP_CACHE_BYTES);
	l->summary = ALIGN(l->areas + sizeof(struct io_tlb_area) * nareas,
			   SMP_CACHE_BYTES);
	l->sets = l->summary + l->area_summary * nareas;
	l->slots = l->sets + sizeof(struct io_tlb_set) * l->nsets;
	l->size = PAGE_ALIGN(l->slots + sizeof(struct io_tlb_slot) * nslabs);
}

/**
 * swiotlb_pool_meta_size() - memory needed for all metadata of a pool
 * @nslabs:	Number of slots.
 * @nareas:	Number of areas.
 *
 * Return: Size in bytes, a multiple of the page size.
 */
size_t swiotlb_pool_meta_size(unsigned long nslabs, unsigned int nareas)
{
	struct pool_layout l;

	lay_out_pool(&l, nslabs, nareas);
	return l.size;
}

static void init_area(struct io_tlb_pool *pool, const struct pool_layout *l,
		      unsigned int i)
{
	unsigned long first = min(i * l->area_sets, l->nsets);
	struct io_tlb_area *area = &pool->areas[i];

	spin_lock_init(&area->lock);
	area->first_set = first;
	area->nr_sets = min(l->nsets - first, l->area_sets);
	area->sets = pool->sets + first;
	area->summary = (void *)pool + l->summary + l->area_summary * i;
	area->windows = (u8 *)area->summary +
		l->area_windows * IO_TLB_WINDOW_SETS;
	memset(area->summary, IO_TLB_RUN_UNKNOWN, area->nr_sets);
	memset(area->windows, IO_TLB_RUN_UNKNOWN, l->area_windows);
}

static void init_set(struct io_tlb_pool *pool, unsigned long i,
		     struct io_tlb_area *area)
{
	unsigned long present = min(pool->nslabs - i * IO_TLB_SEGSIZE,
				    IO_TLB_SEGSIZE);
	struct io_tlb_set *set = &pool->sets[i];

	set->free[0] = present >= 64 ? U64_MAX : BIT_ULL(present) - 1;
	set->free[1] = present <= 64 ? 0 :
		       present >= 128 ? U64_MAX : BIT_ULL(present - 64) - 1;
	set->first[0] = ~set->free[0];
	set->first[1] = ~set->free[1];
	set->bus = slot_phys(pool, i * IO_TLB_SEGSIZE);
	set->area = area;
}

/**
 * swiotlb_pool_init() - initialise a pool, all slots free
 * @pool:	Zeroed memory of swiotlb_pool_meta_size(@nslabs, @nareas) bytes,
 *		aligned to SMP_CACHE_BYTES.
 * @start:	Physical address of the bounce memory, page-aligned.
 * @vaddr:	Where the CPU sees it.
 * @nslabs:	Number of slots.
 * @nareas:	Number of areas, a power of two.
 *
 * swiotlb_pool_connect() has to follow before the pool can be used.
 */
void swiotlb_pool_init(struct io_tlb_pool *pool, phys_addr_t start, void *vaddr,
		       unsigned long nslabs, unsigned int nareas)
{
	struct pool_layout l;
	unsigned long i;

	lay_out_pool(&l, nslabs, nareas);
	pool->start = start;
	pool->end = start + ((phys_addr_t)nslabs << IO_TLB_SHIFT);
	pool->vaddr = vaddr;
	pool->bytes = nslabs << IO_TLB_SHIFT;
	pool->meta_bytes = l.size;
	pool->nslabs = nslabs;
	pool->nareas = nareas;
	pool->bus_max = pool->end - 1;
	pool->areas = (void *)pool + l.areas;
	pool->sets = (void *)pool + l.sets;
	pool->slots = (void *)pool + l.slots;

	for (i = 0; i < nareas; i++)
		init_area(pool, &l, i);
	for (i = 0; i < l.nsets; i++)
		init_set(pool, i, &pool->areas[i / l.area_sets]);
}

/* Leave an area only those of its sets that come before set @nsets. */
static void trim_area(struct io_tlb_area *area, unsigned long nsets)
{
	unsigned long before = area->nr_sets;

	area->first_set = min_t(unsigned long, area->first_set, nsets);
	area->nr_sets = min_t(unsigned long, before, nsets - area->first_set);

	/* A search looks at the summary of eight sets at a time. */
	memset((u8 *)area->summary + area->nr_sets, 0, before - area->nr_sets);
}

/* The last sets of the pool are not to be used: leave them out. */
static void trim_pool(struct io_tlb_pool *pool, unsigned long nsets)
{
	unsigned long i;

	for (i = 0; i < pool->nareas; i++)
		trim_area(&pool->areas[i], nsets);
	for (i = nsets; i < pool->nslabs / IO_TLB_SEGSIZE; i++) {
		memset(pool->sets[i].free, 0, sizeof(pool->sets[i].free));
		memset(pool->sets[i].first, U8_MAX, sizeof(pool->sets[i].first));
	}
	pool->nslabs = nsets * IO_TLB_SEGSIZE;
	pool->end = slot_phys(pool, pool->nslabs);
}

static void *set_vaddr(struct io_tlb_pool *pool, unsigned long i)
{
	return pool->vaddr + i * IO_TLB_SET_BYTES;
}

static void disconnect_sets(struct io_tlb_pool *pool, unsigned long from,
			    unsigned long to)
{
	while (to-- > from)
		pool->backend->undo_contiguous(set_vaddr(pool, to),
					       IO_TLB_SET_ORDER);
}

/*
 * Make the pool's sets contiguous one by one, and tell how many are in the end. If
 * there is not enough contiguous memory for all of them, leave some to others:
 * coherent memory is made of the same stuff.
 */
static unsigned long connect_sets(struct io_tlb_pool *pool, u64 limit)
{
	unsigned long wanted = pool->nslabs / IO_TLB_SEGSIZE, got, keep;

	for (got = 0; got < wanted; got++)
		if (pool->backend->make_contiguous(set_vaddr(pool, got),
						   IO_TLB_SET_ORDER, limit,
						   &pool->sets[got].bus))
			break;
	if (got == wanted)
		return got;

	keep = got - got / 4;
	disconnect_sets(pool, keep, got);
	return keep;
}

static phys_addr_t highest_bus(struct io_tlb_pool *pool)
{
	unsigned long nsets = pool->nslabs / IO_TLB_SEGSIZE, i;
	phys_addr_t highest = 0;

	for (i = 0; i < nsets; i++)
		highest = max(highest, pool->sets[i].bus);
	return highest + IO_TLB_SET_BYTES - 1;
}

/**
 * swiotlb_pool_connect() - make the memory of a pool usable by devices
 * @pool:	Initialised pool that nobody can see yet.
 * @limit:	Highest bus address that the memory may have.
 * @backend:	Makes it contiguous, or %NULL if it is.
 *
 * Where there is not enough contiguous memory for all of the pool, the rest is
 * left out: @pool->nslabs and @pool->end tell what there is. The memory is
 * cleared, so that no device sees what was there before.
 *
 * Context: Boot, or may sleep. With no backend: any.
 * Return: 0, or -ENOMEM if there is not all of the pool and not even
 * %IO_TLB_MIN_SLABS. Nothing is left to undo then.
 */
int swiotlb_pool_connect(struct io_tlb_pool *pool, u64 limit,
			 const struct swiotlb_backend *backend)
{
	unsigned long nsets;

	if (backend) {
		pool->backend = backend;
		nsets = connect_sets(pool, limit);
		if (nsets * IO_TLB_SEGSIZE < min(pool->nslabs,
						 IO_TLB_MIN_SLABS)) {
			disconnect_sets(pool, 0, nsets);
			return -ENOMEM;
		}
		if (nsets * IO_TLB_SEGSIZE < pool->nslabs) {
			pr_warn("device-contiguous memory for %lu of %lu slots only\n",
				nsets * IO_TLB_SEGSIZE, pool->nslabs);
			trim_pool(pool, nsets);
		}
		pool->bus_max = highest_bus(pool);
	}

	memset(pool->vaddr, 0, pool->nslabs << IO_TLB_SHIFT);
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
	if (pool->backend)
		disconnect_sets(pool, 0, pool->nslabs / IO_TLB_SEGSIZE);
}

static unsigned int hash_bits(unsigned int nr)
{
	return order_base_2(nr) + 1;
}

/**
 * swiotlb_table_size() - memory needed for a table of pools
 * @nr:		Number of pools.
 *
 * Return: Size in bytes.
 */
size_t swiotlb_table_size(unsigned int nr)
{
	/* At worst all pools but one are pushed beyond the last bucket. */
	return struct_size_t(struct io_tlb_pool_table, pools,
			     nr + BIT(hash_bits(nr)) + nr);
}

/*
 * The first bucket for pools at @paddr. Which pool it is decides the page
 * allocator's largest block that @paddr is in.
 */
static struct io_tlb_pool **bucket_of(struct io_tlb_pool_table *table,
				      phys_addr_t paddr)
{
	return &table->pools[table->nr +
			     hash_64(paddr >> (PAGE_SHIFT + MAX_PAGE_ORDER),
				     table->hash_bits)];
}

static void add_to_hash(struct io_tlb_pool_table *table,
			struct io_tlb_pool *pool)
{
	struct io_tlb_pool **bucket = bucket_of(table, pool->start);

	while (*bucket)
		bucket++;
	*bucket = pool;
}

static void fill_table(struct io_tlb_pool_table *table,
		       const struct io_tlb_pool_table *old,
		       struct io_tlb_pool *pool)
{
	unsigned int i;

	table->nr = old ? old->nr + 1 : 1;
	table->max_areas = max(old ? old->max_areas : 0, pool->nareas);
	table->hash_bits = hash_bits(table->nr);
	for (i = 0; i < table->nr - 1; i++)
		table->pools[i] = old->pools[i];
	table->pools[i] = pool;
	for (i = 1; i < table->nr; i++)
		add_to_hash(table, table->pools[i]);
}

/**
 * swiotlb_find_in_table() - find the pool that an address lies in
 * @mem:	Software IO TLB.
 * @paddr:	Physical address.
 *
 * Context: Any.
 * Return: The pool, or %NULL if it is in none, or in the default pool.
 */
struct io_tlb_pool *swiotlb_find_in_table(struct io_tlb_mem *mem,
					  phys_addr_t paddr)
{
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool = NULL;
	struct io_tlb_pool **bucket;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	if (likely(table)) {
		bucket = bucket_of(table, paddr);
		do {
			pool = *bucket++;
		} while (pool && !in_pool(pool, paddr));
	}
	rcu_read_unlock();
	return pool;
}

/**
 * swiotlb_publish() - let mappings use a pool
 * @mem:	Software IO TLB that it becomes part of.
 * @pool:	Pool, ready for use. If it is not the first, its memory is a single
 *		allocation of the page allocator.
 * @table:	Zeroed memory for a table with one pool more than there are.
 *
 * Context: Set-up, or the worker that adds pools: one caller at a time.
 */
void swiotlb_publish(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		     struct io_tlb_pool_table *table)
{
	struct io_tlb_pool_table *old = rcu_dereference_protected(mem->pools, 1);

	fill_table(table, old, pool);
	rcu_assign_pointer(mem->pools, table);
	WRITE_ONCE(mem->nslabs, mem->nslabs + pool->nslabs);

	if (!mem->defpool) {
		/*
		 * Whoever sees the pool can use it, and sees the table: pairs
		 * with smp_load_acquire() in default_pool().
		 */
		smp_store_release(&mem->defpool, pool);
	}

	if (old && !old->boot)
		kfree_rcu(old, rcu);
}

/**
 * swiotlb_mem_init() - initialise a software IO TLB that has no pool yet
 * @mem:	Zeroed memory.
 */
void swiotlb_mem_init(struct io_tlb_mem *mem)
{
	spin_lock_init(&mem->hiwater_lock);
}

/**
 * swiotlb_free_buffer() - free bounce memory of the page allocator
 * @vaddr:	The memory, shared with devices.
 * @bytes:	Its size.
 *
 * Memory that cannot be taken back from the devices is leaked on purpose.
 *
 * Context: May sleep if memory encryption is active, otherwise any.
 */
void swiotlb_free_buffer(void *vaddr, size_t bytes)
{
	if (set_memory_encrypted((unsigned long)vaddr, PFN_UP(bytes)))
		pr_warn("cannot take bounce memory back from devices, leaking it\n");
	else
		free_pages((unsigned long)vaddr, get_order(bytes));
}
