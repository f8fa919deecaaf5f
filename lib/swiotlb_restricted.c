// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: restricted DMA pools.
 *
 * A device tree node "restricted-dma-pool" reserves memory. Its devices may see no other
 * memory: their streaming mappings are bounced to it, and their coherent memory is
 * taken from it. See
 * Documentation/devicetree/bindings/reserved-memory/.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/cc_platform.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/of_fdt.h>
#include <linux/of_reserved_mem.h>
#include <linux/pfn.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "swiotlb_internal.h"

/**
 * swiotlb_alloc() - take pages from a restricted pool
 * @dev:	Device of the pool.
 * @size:	Size in bytes, a multiple of the page size.
 * @attrs:	Has __DMA_ATTR_ALLOC_CC_SHARED if the pages have to be decrypted.
 *
 * Context: Any.
 * Return: The first page, aligned to @size rounded up to a power of two pages,
 * or %NULL, also if the pool is not as @attrs say.
 */
struct page *swiotlb_alloc(struct device *dev, size_t size, unsigned long attrs)
{
	unsigned int align_mask = (PAGE_SIZE << get_order(size)) - 1;
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	struct io_tlb_pool *pool;
	int index;

	if (!mem || !mem->defpool || !size || size > IO_TLB_MAX_MAPPING)
		return NULL;
	if (mem->cc_shared != !!(attrs & __DMA_ATTR_ALLOC_CC_SHARED))
		return NULL;

	struct io_tlb_request rq = swiotlb_request(dev, 0, size, align_mask,
						   U64_MAX, false, mem->cc_tagged);
	pool = swiotlb_get_slots(&rq, &index);
	if (!pool)
		return NULL;

	return pfn_to_page(PHYS_PFN(slot_phys(pool, index)));
}

/*
 * The restricted pool that @paddr lies in. Does not ask the device: the pool may have been
 * taken away from it since, and the page allocator must not get these pages. Restricted
 * pools are never freed.
 */
static struct io_tlb_pool *find_restricted_pool(phys_addr_t paddr)
{
	struct io_tlb_mem *mem;

	/* Pairs with publish_restricted(). */
	mem = smp_load_acquire(&io_tlb_default_mem.next_restricted);
	while (mem && !in_pool(mem->defpool, paddr))
		mem = mem->next_restricted;
	return mem ? mem->defpool : NULL;
}

/**
 * swiotlb_free() - return pages to a restricted pool
 * @dev:	Device that they were taken for.
 * @page:	What swiotlb_alloc() returned.
 * @size:	Size in bytes.
 *
 * Context: Any.
 * Return: %false if @page does not come from swiotlb_alloc().
 */
bool swiotlb_free(struct device *dev, struct page *page, size_t size)
{
	phys_addr_t tlb_addr = page_to_phys(page);
	struct io_tlb_pool *pool = find_restricted_pool(tlb_addr);

	if (!pool)
		return false;
	swiotlb_put_slots(dev, tlb_addr, pool);
	return true;
}

/*
 * As many areas as the default pool has, so that CPUs do not share a lock. But each area
 * has at least %IO_TLB_MIN_SLABS slots: many small areas would leave no room for large
 * mappings.
 */
static unsigned int restricted_areas(unsigned long nslabs)
{
	unsigned long most = rounddown_pow_of_two(max(nslabs / IO_TLB_MIN_SLABS,
						      1UL));

	return min_t(unsigned long, swiotlb_default_areas(), most);
}

/* Devices of a pool may be probed at the same time. */
static DEFINE_MUTEX(restricted_mutex);

/* Context: restricted_mutex is held. */
static void publish_restricted(struct io_tlb_mem *mem)
{
	lockdep_assert_held(&restricted_mutex);
	mem->next_restricted = io_tlb_default_mem.next_restricted;
	/* It is complete: pairs with find_restricted_pool(). */
	smp_store_release(&io_tlb_default_mem.next_restricted, mem);
}

/*
 * Set up the pool when its first device appears.
 *
 * Context: restricted_mutex is held.
 */
static struct io_tlb_mem *make_restricted_pool(struct reserved_mem *rmem)
{
	/* Memory is shared with devices in whole pages. */
	unsigned long nslabs = PFN_DOWN(rmem->size) <<
		(PAGE_SHIFT - IO_TLB_SHIFT);
	struct io_tlb_pool_params params = {
		.start = rmem->base,
		.vaddr = phys_to_virt(rmem->base),
		.nslabs = nslabs,
		.nareas = restricted_areas(nslabs),
		.keep = true,
	};
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	struct io_tlb_mem *mem;

	mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	pool = kvzalloc(swiotlb_pool_meta_size(nslabs, params.nareas),
			GFP_KERNEL);
	table = kzalloc(swiotlb_table_size(1), GFP_KERNEL);
	if (!mem || !pool || !table)
		goto free;
	swiotlb_mem_init(mem);
	mem->force_bounce = true;
	mem->for_alloc = true;
	swiotlb_set_shared(mem, cc_platform_has(CC_ATTR_MEM_ENCRYPT));
	if (mem->cc_shared && set_memory_decrypted((unsigned long)params.vaddr,
						   rmem->size >> PAGE_SHIFT)) {
		pr_err("%s: cannot share the pool with its devices\n",
		       rmem->name);
		goto free;
	}

	/* No backend: it does not fail. */
	swiotlb_setup_pool(pool, &params);

	mutex_lock(&mem->pools_mutex);
	swiotlb_publish(mem, pool, table);
	mutex_unlock(&mem->pools_mutex);
	swiotlb_create_debugfs_files(mem, rmem->name);
	publish_restricted(mem);
	return mem;

free:
	kfree(table);
	kvfree(pool);
	kfree(mem);
	return NULL;
}

static int attach(struct reserved_mem *rmem, struct device *dev)
{
	/* The CPU copies to and from the pool without mapping it for each copy. */
	if (PhysHighMem(rmem->base)) {
		dev_err(dev, "%s: a restricted DMA pool cannot be in high memory\n",
			rmem->name);
		return -EINVAL;
	}

	mutex_lock(&restricted_mutex);
	if (!rmem->priv)
		rmem->priv = make_restricted_pool(rmem);
	mutex_unlock(&restricted_mutex);
	if (!rmem->priv)
		return -ENOMEM;

	dev->dma_io_tlb_mem = rmem->priv;
	return 0;
}

/* The pool stays for the next device. */
static void detach(struct reserved_mem *rmem, struct device *dev)
{
	dev->dma_io_tlb_mem = &io_tlb_default_mem;
}

/* Properties that cannot be had together with a restricted pool */
static const char * const contradictions[] = {
	"reusable", "linux,cma-default", "linux,dma-default", "no-map",
};

static int __init found_restricted(unsigned long node, struct reserved_mem *rmem)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contradictions); i++) {
		if (of_get_flat_dt_prop(node, contradictions[i], NULL)) {
			pr_err("%s: a restricted DMA pool cannot be \"%s\"\n",
			       rmem->name, contradictions[i]);
			return -EINVAL;
		}
	}
	if (rmem->size < PAGE_SIZE || !PAGE_ALIGNED(rmem->base)) {
		pr_err("%s: %pa bytes at %pa cannot be a restricted DMA pool\n",
		       rmem->name, &rmem->size, &rmem->base);
		return -EINVAL;
	}

	pr_info("%s: a restricted DMA pool of %lu KiB at %pa\n", rmem->name,
		(unsigned long)rmem->size / SZ_1K, &rmem->base);
	return 0;
}

static const struct reserved_mem_ops restricted_ops = {
	.node_init = found_restricted,
	.device_init = attach,
	.device_release = detach,
};

RESERVEDMEM_OF_DECLARE(dma, "restricted-dma-pool", &restricted_ops);
