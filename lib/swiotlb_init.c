// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: the default pool, from boot parameters to tear-down.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "swiotlb_internal.h"

struct io_tlb_mem io_tlb_default_mem = {
	.pools_mutex = __MUTEX_INITIALIZER(io_tlb_default_mem.pools_mutex),
	.tries_lock = __SPIN_LOCK_UNLOCKED(io_tlb_default_mem.tries_lock),
};

/* From swiotlb=force and swiotlb=noforce */
static bool force_bounce;
static bool force_disable;

/* Slots and areas of the default pool, and of pools that are added */
static unsigned long default_nslabs = IO_TLB_DEFAULT_SIZE >> IO_TLB_SHIFT;
static unsigned int default_nareas;
static bool nslabs_requested;

/*
 * Once the number of areas is known, the number of slots is a power of two, with at
 * least one set for each area.
 */
static bool round_up_default_nslabs(void)
{
	unsigned long nslabs;

	if (!default_nareas)
		return false;

	nslabs = max(default_nslabs,
		     (unsigned long)default_nareas * IO_TLB_SEGSIZE);
	nslabs = roundup_pow_of_two(nslabs);
	if (nslabs == default_nslabs)
		return false;
	default_nslabs = nslabs;
	return true;
}

static void set_default_areas(unsigned int nareas)
{
	default_nareas = roundup_pow_of_two(max(nareas, 1U));
	pr_info("area num %u.\n", default_nareas);
	if (round_up_default_nslabs())
		pr_info("SWIOTLB bounce buffer size roundup to %luKB\n",
			(default_nslabs << IO_TLB_SHIFT) >> 10);
}

/* An area for each CPU, unless the command line says otherwise */
static void settle_default_areas(void)
{
	if (!default_nareas)
		set_default_areas(num_possible_cpus());
}

/* Upper bounds that keep sizes in bytes and bits in areas within their types */
#define MAX_NSLABS	(rounddown_pow_of_two(ULONG_MAX >> IO_TLB_SHIFT) >> 1)
#define MAX_NAREAS	min(MAX_NSLABS / IO_TLB_SEGSIZE, (unsigned long)SZ_64K)

static void __init parse_nslabs(unsigned long nslabs)
{
	if (!nslabs || nslabs > MAX_NSLABS) {
		pr_warn("swiotlb=%lu: number of slots must be 1 to %lu, using %lu\n",
			nslabs, MAX_NSLABS, default_nslabs);
		return;
	}
	default_nslabs = ALIGN(nslabs, IO_TLB_SEGSIZE);
	nslabs_requested = true;
}

static void __init parse_nareas(unsigned long nareas)
{
	if (nareas > MAX_NAREAS) {
		pr_warn("swiotlb=,%lu: number of areas must not be above %lu, ignored\n",
			nareas, MAX_NAREAS);
		return;
	}
	set_default_areas(nareas);
}

static void __init parse_field(const char *word, unsigned int field)
{
	unsigned long value;

	if (!strcmp(word, "force"))
		force_bounce = true;
	else if (!strcmp(word, "noforce"))
		force_disable = true;
	else if (!strcmp(word, "track_hiwater"))
		; /* The mark is always kept: it costs next to nothing. */
	else if (field == 0 && !kstrtoul(word, 0, &value))
		parse_nslabs(value);
	else if (field == 1 && !kstrtoul(word, 0, &value))
		parse_nareas(value);
	else if (*word)
		pr_warn("swiotlb=: \"%s\" ignored, expected [<slots>][,<areas>], force, noforce or track_hiwater\n",
			word);
}

/* swiotlb=[<slots>][,<areas>][,force|noforce][,track_hiwater], or just the words */
static int __init parse_swiotlb(char *str)
{
	unsigned int field;
	char *word;

	for (field = 0; (word = strsep(&str, ",")); field++)
		parse_field(word, field);
	return 0;
}
early_param("swiotlb", parse_swiotlb);

/**
 * swiotlb_size_or_default() - size of the default pool
 *
 * Before the pool exists this is an estimate: the size may be rounded up when the number
 * of areas is settled, and swiotlb_init_late() may get less. The size of the memory that
 * is reserved for a crash kernel depends on it (asm/crash_reserve.h).
 *
 * Context: Any.
 * Return: Size in bytes.
 */
unsigned long swiotlb_size_or_default(void)
{
	return default_nslabs << IO_TLB_SHIFT;
}

/**
 * swiotlb_default_nslabs() - how large pools are to be
 *
 * Context: Any.
 * Return: Slots that were asked for, or fewer if there was no memory for them at boot.
 */
unsigned long swiotlb_default_nslabs(void)
{
	return default_nslabs;
}

/**
 * swiotlb_default_areas() - how many areas pools are to have
 *
 * Context: Any.
 * Return: Number of areas, a power of two. It is settled when the default pool is set
 * up. Until then it is the number of CPUs. A pool with fewer sets has fewer areas.
 */
unsigned int swiotlb_default_areas(void)
{
	return default_nareas ?: roundup_pow_of_two(num_possible_cpus());
}

/**
 * swiotlb_adjust_size() - set the size of the pool, for an architecture
 * @size:	Size in bytes.
 *
 * Does nothing if the command line gives a size, or if the size was set before.
 *
 * Context: Boot, before the pool is set up.
 */
void __init swiotlb_adjust_size(unsigned long size)
{
	if (nslabs_requested ||
	    default_nslabs != IO_TLB_DEFAULT_SIZE >> IO_TLB_SHIFT)
		return;

	default_nslabs = ALIGN(nr_slots(size), IO_TLB_SEGSIZE);
	round_up_default_nslabs();
	pr_info("SWIOTLB bounce buffer size adjusted to %luMB\n",
		(default_nslabs << IO_TLB_SHIFT) >> 20);
}

/**
 * swiotlb_print_info() - print where the default pool is
 *
 * Context: Any.
 */
void swiotlb_print_info(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;
	phys_addr_t last;

	if (!pool) {
		pr_warn("%s\n", force_disable ? "forbidden by swiotlb=noforce" :
						"No low mem");
		return;
	}

	last = pool->end - 1;
	pr_info("mapped [mem %pa-%pa] (%luMB)\n", &pool->start, &last,
		(pool->nslabs << IO_TLB_SHIFT) >> 20);
}

/*
 * How the default software IO TLB may grow.
 *
 * @backend:	As for swiotlb_init_buffer().
 * @phys_limit:	Highest physical address of added memory.
 */
static void allow_growth(const struct swiotlb_backend *backend, u64 phys_limit)
{
	io_tlb_default_mem.backend = backend;
	swiotlb_allow_growth(phys_limit);
}

/* The parameters of the default pool, on @bytes of memory at @buf */
static struct io_tlb_pool_params default_params(void *buf, size_t bytes,
						const struct swiotlb_backend *backend)
{
	unsigned long nslabs = round_down(bytes >> IO_TLB_SHIFT, IO_TLB_SEGSIZE);

	return (struct io_tlb_pool_params) {
		.start = virt_to_phys(buf),
		.vaddr = buf,
		.nslabs = nslabs,
		.nareas = swiotlb_limit_areas(default_nareas, nslabs),
		.backend = backend,
		.low_bits = IO_TLB_LOW_BITS,
		.maddr_bits = 32,
		.keep = true,
	};
}

/**
 * swiotlb_boot_size() - how much memory the default pool is to have
 * @addressing_limited: Some device may need bounce buffers.
 *
 * Settles the number of areas, which may round the size up.
 *
 * Context: Boot, after parameters are parsed.
 * Return: Size in bytes, or 0 if no pool is needed or it was forbidden.
 */
size_t __init swiotlb_boot_size(bool addressing_limited)
{
	if (force_disable || (!addressing_limited && !force_bounce))
		return 0;

	io_tlb_default_mem.force_bounce = force_bounce;
	settle_default_areas();
	return default_nslabs << IO_TLB_SHIFT;
}

/**
 * swiotlb_init_buffer() - start the software IO TLB on memory of the caller
 * @buf:	Memory from memblock, aligned to a page; better to a slot set.
 * @bytes:	Its size. A remainder of less than a slot set is not used.
 * @flags:	SWIOTLB_*.
 * @backend:	Makes the memory contiguous for devices, or %NULL if it is.
 *
 * Context: Boot, while memblock works.
 * Return: How many bytes from @buf on are in use now, 0 if it failed. The
 * others are the caller's to free.
 */
size_t __init swiotlb_init_buffer(void *buf, size_t bytes, unsigned int flags,
				  const struct swiotlb_backend *backend)
{
	struct io_tlb_pool_params params;
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	size_t meta_size;

	settle_default_areas();
	params = default_params(buf, bytes, backend);
	meta_size = swiotlb_pool_meta_size(params.nslabs, params.nareas);

	pool = memblock_alloc(meta_size, PAGE_SIZE);
	table = memblock_alloc(swiotlb_table_size(1), SMP_CACHE_BYTES);
	if (!pool || !table) {
		pr_warn("Failed to allocate %zu bytes for metadata\n", meta_size);
		goto free_meta;
	}

	if (swiotlb_setup_pool(pool, &params))
		goto free_meta;

	if (pool->nslabs != default_nslabs) {
		pr_info("SWIOTLB bounce buffer size adjusted %lu -> %lu slabs\n",
			default_nslabs, pool->nslabs);
		default_nslabs = pool->nslabs;
	}
	/* What was left out is the caller's. */
	pool->bytes = pool->nslabs << IO_TLB_SHIFT;

	allow_growth(backend, flags & SWIOTLB_ANY ?
		     virt_to_phys(high_memory - 1) : ARCH_LOW_ADDRESS_LIMIT);
	table->boot = true;
	mutex_lock(&io_tlb_default_mem.pools_mutex);
	swiotlb_publish(&io_tlb_default_mem, pool, table);
	mutex_unlock(&io_tlb_default_mem.pools_mutex);
	if (flags & SWIOTLB_VERBOSE)
		swiotlb_print_info();
	return pool->bytes;

free_meta:
	if (table)
		memblock_free(table, swiotlb_table_size(1));
	if (pool)
		memblock_free(pool, meta_size);
	return 0;
}

/**
 * swiotlb_init() - set up the default software IO TLB
 * @addressing_limited: Some device may need bounce buffers.
 * @flags:	SWIOTLB_*.
 *
 * If there is not enough memory, it tries half as much, and so on down to 1 MiB.
 *
 * Context: Boot, while memblock works.
 */
void __init swiotlb_init(bool addressing_limited, unsigned int flags)
{
	size_t bytes = swiotlb_boot_size(addressing_limited);
	void *buf;

	if (!bytes)
		return;

	for (;;) {
		if (flags & SWIOTLB_ANY)
			buf = memblock_alloc(bytes, IO_TLB_SET_BYTES);
		else
			buf = memblock_alloc_low(bytes, IO_TLB_SET_BYTES);
		if (buf)
			break;
		pr_warn("Failed to allocate %zu bytes of bounce memory\n", bytes);
		bytes = ALIGN(bytes / 2, IO_TLB_SET_BYTES);
		if (bytes >> IO_TLB_SHIFT < IO_TLB_MIN_SLABS)
			return;
	}

	if (!swiotlb_init_buffer(buf, bytes, flags, NULL))
		memblock_free(buf, bytes);
}

/* The largest piece of memory up to @bytes that a pool can be made of */
static void *alloc_late_buffer(size_t bytes, gfp_t gfp_mask, unsigned int *order)
{
	int min_order = get_order(IO_TLB_MIN_SLABS << IO_TLB_SHIFT);
	int try = min_t(int, get_order(bytes), MAX_PAGE_ORDER);
	unsigned long vaddr = 0;

	for (; !vaddr && try >= min_order; try--) {
		vaddr = __get_free_pages(gfp_mask | __GFP_NOWARN, try);
		*order = try;
	}
	if (!vaddr)
		return NULL;

	if (io_tlb_default_mem.cc_shared && set_memory_decrypted(vaddr, 1 << *order)) {
		swiotlb_free_buffer((void *)vaddr, PAGE_SIZE << *order, true);
		return NULL;
	}
	return (void *)vaddr;
}

static u64 zone_limit(gfp_t gfp_mask)
{
	if (IS_ENABLED(CONFIG_ZONE_DMA) && (gfp_mask & __GFP_DMA))
		return zone_dma_limit;
	if (IS_ENABLED(CONFIG_ZONE_DMA32) && (gfp_mask & __GFP_DMA32))
		return max(DMA_BIT_MASK(32), zone_dma_limit);
	return virt_to_phys(high_memory - 1);
}

/**
 * swiotlb_init_late() - set up the default software IO TLB from the page allocator
 * @size:	Wanted size in bytes.
 * @gfp_mask:	Where the memory has to be.
 * @backend:	Makes the memory contiguous for devices, or %NULL if it is.
 *
 * Does nothing if there is one already, or if it was forbidden.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int swiotlb_init_late(size_t size, gfp_t gfp_mask,
		      const struct swiotlb_backend *backend)
{
	struct io_tlb_pool_params params;
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	unsigned int order;
	void *buf;

	if (io_tlb_default_mem.defpool || force_disable)
		return 0;

	io_tlb_default_mem.force_bounce = force_bounce;
	settle_default_areas();

	buf = alloc_late_buffer(size, gfp_mask, &order);
	if (!buf)
		return -ENOMEM;
	if (PAGE_SIZE << order < size)
		pr_warn("only able to allocate %lu MB\n",
			(PAGE_SIZE << order) >> 20);

	params = default_params(buf, PAGE_SIZE << order, backend);
	params.late_alloc = true;
	table = kzalloc(swiotlb_table_size(1), GFP_KERNEL);
	pool = table ? swiotlb_make_pool(&params, GFP_KERNEL) : ERR_PTR(-ENOMEM);
	if (IS_ERR(pool))
		goto free;

	allow_growth(backend, zone_limit(gfp_mask));
	mutex_lock(&io_tlb_default_mem.pools_mutex);
	swiotlb_publish(&io_tlb_default_mem, pool, table);
	mutex_unlock(&io_tlb_default_mem.pools_mutex);
	swiotlb_print_info();
	return 0;

free:
	kfree(table);
	swiotlb_free_buffer(buf, PAGE_SIZE << order, io_tlb_default_mem.cc_shared);
	return -ENOMEM;
}

/* There are no mappings, and none will be made. Returns the table of pools. */
static struct io_tlb_pool_table *unpublish_default_pool(void)
{
	struct io_tlb_mem *mem = &io_tlb_default_mem;
	struct io_tlb_pool_table *table;

	WARN_ON_ONCE(swiotlb_mem_used(mem));
	mutex_lock(&mem->pools_mutex);
	table = own_pools(mem);
	mem->nslabs = 0;
	WRITE_ONCE(mem->can_grow, false);
	mem->plain_pool = NULL;
	mem->defpool = NULL;
	RCU_INIT_POINTER(mem->pools, NULL);
	mutex_unlock(&mem->pools_mutex);
	return table;
}

/**
 * swiotlb_update_mem_attributes() - share the default pool with devices
 *
 * Architectures that encrypt memory call this when they can decrypt it. They cannot yet
 * when the pool is set up. If decrypting fails, there is no software IO TLB: the device
 * would see noise.
 *
 * Context: Boot, before the first mapping.
 */
void __init swiotlb_update_mem_attributes(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;

	swiotlb_set_shared(&io_tlb_default_mem, cc_platform_has(CC_ATTR_MEM_ENCRYPT));
	if (!pool || pool->late_alloc || !io_tlb_default_mem.cc_shared)
		return;
	if (!set_memory_decrypted((unsigned long)pool->vaddr,
				  PFN_UP(pool->bytes)))
		return;

	pr_err("cannot share bounce memory with devices, doing without\n");
	unpublish_default_pool();
}

/**
 * swiotlb_exit() - free the default pool
 *
 * For architectures that find they have an IOMMU. Does nothing if bounce buffers
 * are forced on the command line.
 *
 * Context: Boot, before the first mapping.
 */
void __init swiotlb_exit(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;
	bool shared = io_tlb_default_mem.cc_shared;
	struct io_tlb_pool_table *table;

	if (force_bounce || !pool)
		return;

	pr_info("tearing down default memory pool\n");
	table = unpublish_default_pool();
	swiotlb_pool_disconnect(pool);

	if (pool->late_alloc) {
		swiotlb_free_buffer(pool->vaddr, pool->bytes, shared);
		kfree(table);
		kvfree(pool);
		return;
	}

	if (shared && set_memory_encrypted((unsigned long)pool->vaddr,
					   PFN_UP(pool->bytes)))
		pr_warn("cannot take bounce memory back from devices, leaking it\n");
	else
		memblock_phys_free(pool->start, pool->bytes);
	memblock_free(table, swiotlb_table_size(1));
	memblock_free(pool, pool->meta_bytes);
}

/**
 * default_swiotlb_base() - lowest physical address of the pool that was set up first
 *
 * Pools that are added may lie below it. A caller that needs all bounce buffers above
 * this address calls swiotlb_stop_growth() first.
 *
 * Context: Any.
 * Return: The address, or 0 if there is no pool.
 */
phys_addr_t default_swiotlb_base(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;

	return pool ? pool->start : 0;
}

/**
 * default_swiotlb_limit() - highest physical address of a default bounce buffer
 *
 * Without a pool a device has to reach all memory. swiotlb-xen asks for this limit when a
 * driver sets a DMA mask.
 *
 * Context: Any.
 * Return: The address, also of pools that may be added; that of the last byte of memory
 * if there is no pool.
 */
phys_addr_t default_swiotlb_limit(void)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;

	if (can_grow(&io_tlb_default_mem))
		return swiotlb_growth_limit(&io_tlb_default_mem);
	return pool ? pool->end - 1 : PFN_PHYS(max_pfn) - 1;
}

/* Does a pool lie completely below @mask? */
static bool pool_below(struct io_tlb_mem *mem, u64 mask)
{
	struct io_tlb_pool_table *table;
	bool found = false;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; !found && table && i < table->nr; i++)
		found = table->pools[i]->maddr_max <= mask;
	rcu_read_unlock();
	return found;
}

/**
 * swiotlb_supports() - can a device be served by bounce buffers?
 * @dev:	Device.
 * @mask:	The DMA mask that it may get, all ones up to some bit.
 *
 * It can if it reaches a pool completely, or a pool that can be added: when the mask has
 * been set, or by the first mapping. This assumes that there is memory for such a pool,
 * unless the last try failed within the last second.
 *
 * Context: Any.
 * Return: %true if it can.
 */
bool swiotlb_supports(struct device *dev, u64 mask)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (!is_swiotlb_active(dev))
		return false;
	return pool_below(mem, mask) || swiotlb_may_grow(mem, fls64(mask));
}

/**
 * swiotlb_prepare() - the DMA mask of a device has been set
 * @dev:	Device.
 *
 * If the device reaches no pool, and memory has to be made contiguous, start the worker
 * that adds a pool. The first mapping could not wait for it. Without a backend a transient
 * pool can serve the first mapping, so nothing is done: most devices never need it.
 *
 * Context: Any.
 */
void swiotlb_prepare(struct device *dev)
{
	u64 limit = min_not_zero(*dev->dma_mask, dev->bus_dma_limit);
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (is_swiotlb_active(dev) && mem->backend && !pool_below(mem, limit))
		swiotlb_want_pool(dev, limit);
}
