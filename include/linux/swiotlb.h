/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Software IO TLB: bounce buffers for memory that a device cannot reach.
 *
 * See Documentation/core-api/swiotlb.rst for the concepts and lib/swiotlb.c
 * for the code.
 */
#ifndef __LINUX_SWIOTLB_H
#define __LINUX_SWIOTLB_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dentry;
struct io_tlb_growth;
struct io_tlb_pool;
struct io_tlb_pool_table;
struct io_tlb_stale;
struct page;

/* Flags of swiotlb_init() and swiotlb_init_buffer() */
#define SWIOTLB_VERBOSE	BIT(0)	/* print where the pool is */
#define SWIOTLB_ANY	BIT(1)	/* the pool need not be low memory */

/* Bounce memory is handed out in slots of this size. */
#define IO_TLB_SHIFT	11
#define IO_TLB_SIZE	BIT(IO_TLB_SHIFT)

/*
 * Slots in a slot set. A set is contiguous by machine address. A mapping that fits into an
 * aligned set lies within one set.
 */
#define IO_TLB_SEGSIZE	128

/* Bytes of the default pool when nobody asks for another size */
#ifdef CONFIG_SWIOTLB
#define IO_TLB_DEFAULT_SIZE	((unsigned long)CONFIG_SWIOTLB_DEFAULT_SIZE_MB << 20)
#else
#define IO_TLB_DEFAULT_SIZE	(64UL << 20)
#endif

/**
 * struct swiotlb_backend - how bounce memory is made contiguous for devices
 * @make_contiguous: Make 2^@order pages at @vaddr adjacent in the address
 *	space that devices use, aligned there to their size and not above
 *	@limit. Stores the machine address of the first byte in @maddr. The contents of
 *	the pages are lost. Returns 0; -EINVAL if these pages cannot be changed, but
 *	others may be; -ENOMEM if there is no such memory. Errors change nothing else.
 * @undo_contiguous: Undo @make_contiguous for all or some of its pages, before the
 *	memory is freed. The contents are lost. The pages need not become
 *	scattered.
 *
 * For platforms on which memory that is contiguous for the CPU need not be so
 * for a device. Both are called when a pool is set up, added or freed, and after a
 * guest has been restored, for one to eight slot sets, never for a single mapping.
 * Both run during boot or in task context, maybe with &io_tlb_mem.pools_mutex held,
 * never under a spinlock. On a platform without a backend, machine addresses are
 * physical addresses.
 */
struct swiotlb_backend {
	int (*make_contiguous)(void *vaddr, unsigned int order, u64 limit,
			       phys_addr_t *maddr);
	void (*undo_contiguous)(void *vaddr, unsigned int order);
};

unsigned long swiotlb_size_or_default(void);
int swiotlb_init_late(size_t size, gfp_t gfp_mask,
		      const struct swiotlb_backend *backend);
void __init swiotlb_update_mem_attributes(void);

#ifdef CONFIG_SWIOTLB

/**
 * struct io_tlb_mem - a software IO TLB
 * @force_bounce: Every streaming mapping is bounced.
 * @for_alloc:	Coherent memory is taken from here too (restricted pools).
 * @can_grow:	Pools may be added while the system runs.
 * @cc_shared:	The memory is decrypted, for devices to see it.
 * @cc_platform: The platform encrypts memory: not every pool suits every device.
 * @cc_tagged:	DMA addresses of this memory have a bit set that tells whether it is
 *		decrypted.
 * @nslabs:	Slots in all pools that are not transient. Zero while there is
 *		no pool.
 * @defpool:	The pool that was set up first, %NULL if there is none.
 * @plain_pool:	The same, but %NULL if @cc_platform: from here, mappings need no check.
 * @pools:	All pools but the transient ones, in the order in which they
 *		were added. Readers use RCU. Written under @pools_mutex.
 * @pools_mutex: Serialises those who add and free pools.
 * @backend:	Makes new pools contiguous for devices, or %NULL.
 * @growth:	State of growth, see swiotlb_dynamic.c; %NULL until pools may be added.
 * @next_restricted: Next IO TLB in a list: the default one, then the restricted ones.
 * @stale:	Slots that were mapped when the guest was restored: a list, or %NULL.
 * @tries_lock:	Held while taking slots that may have to be given back at once.
 * @trying:	Number of CPUs that are taking such slots now.
 * @tries_in_vain: How often such slots were given back.
 * @debugfs:	Directory with the counters.
 * @allowed:	Slots that may be in use before @used_hiwater changes: not fewer than
 *		those in use, and not many more.
 * @used_hiwater: The highest value of @allowed since it was reset in debugfs. Not used
 *		without CONFIG_DEBUG_FS.
 * @transient_nslabs: Slots in the transient pools.
 *
 * There is the default one, and one for each restricted DMA pool. Drivers and
 * architectures must not use the members. The structure is defined here only for
 * the inline functions below.
 */
struct io_tlb_mem {
	bool force_bounce;
	bool for_alloc;
	bool can_grow;
	bool cc_shared;
	bool cc_platform;
	bool cc_tagged;
	unsigned long nslabs;
	struct io_tlb_pool *defpool;
	struct io_tlb_pool *plain_pool;
	struct io_tlb_pool_table __rcu *pools;
	struct mutex pools_mutex;	/* see swiotlb_internal.h */
	const struct swiotlb_backend *backend;
	struct io_tlb_growth *growth;
	struct io_tlb_mem *next_restricted;
	struct io_tlb_stale *stale;
	spinlock_t tries_lock;		/* see swiotlb_internal.h */
	unsigned int trying;
	unsigned int tries_in_vain;
	struct dentry *debugfs;
	atomic_long_t allowed;		/* see swiotlb_debugfs.c */
	atomic_long_t used_hiwater;
	atomic_long_t transient_nslabs;
};

struct io_tlb_pool *__swiotlb_find_pool(struct device *dev, phys_addr_t paddr);

/**
 * swiotlb_used_by() - has this device ever asked for a bounce buffer?
 * @dev:	Device whose mapping is about to be synced or unmapped.
 *
 * The caller has an address that swiotlb_map() or swiotlb_tbl_map_single() returned, and
 * has loaded it from a data structure of the driver. The barrier orders that load before
 * the load of dev->dma_uses_io_tlb here, and before the load of the pools in
 * __swiotlb_find_pool(). It is needed without SWIOTLB_DYNAMIC too: a third CPU may have
 * set the flag just before, and nothing else orders the two loads.
 *
 * Context: Any.
 * Return: %false if none of the device's mappings can be a bounce buffer.
 */
static inline bool swiotlb_used_by(struct device *dev)
{
	smp_rmb();	/* pairs with the barrier explained in prepare_use() */
	return READ_ONCE(dev->dma_uses_io_tlb);
}

/**
 * swiotlb_find_pool() - find the pool that a physical address lies in
 * @dev:	Device that the address was mapped for.
 * @paddr:	Physical address. May be all ones, which dma_to_phys() returns for
 *		memory of another owner; no pool has that address.
 *
 * Context: Any.
 * Return: The pool, or %NULL if @paddr is in none, or @dev has never asked for a
 * bounce buffer.
 */
static inline struct io_tlb_pool *swiotlb_find_pool(struct device *dev,
						    phys_addr_t paddr)
{
	if (!swiotlb_used_by(dev))
		return NULL;
	return __swiotlb_find_pool(dev, paddr);
}

/**
 * is_swiotlb_force_bounce() - are all streaming mappings of a device bounced?
 * @dev:	Device.
 *
 * Context: Any.
 * Return: %true if they are to be, whether or not there is a pool.
 */
static inline bool is_swiotlb_force_bounce(struct device *dev)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	return mem && mem->force_bounce;
}

/**
 * is_swiotlb_active() - can the mappings of a device be bounced?
 * @dev:	Device.
 *
 * Context: Any.
 * Return: %true if there is a pool for it.
 */
static inline bool is_swiotlb_active(struct device *dev)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	return mem && READ_ONCE(mem->nslabs);
}

void swiotlb_init(bool addressing_limited, unsigned int flags);
size_t __init swiotlb_boot_size(bool addressing_limited);
size_t __init swiotlb_init_buffer(void *buf, size_t bytes, unsigned int flags,
				  const struct swiotlb_backend *backend);
void __init swiotlb_exit(void);
void swiotlb_dev_init(struct device *dev);
size_t swiotlb_max_mapping_size(struct device *dev);
bool is_swiotlb_allocated(void);
void __init swiotlb_adjust_size(unsigned long size);
phys_addr_t default_swiotlb_base(void);
phys_addr_t default_swiotlb_limit(void);
bool swiotlb_supports(struct device *dev, u64 mask);
void swiotlb_prepare(struct device *dev);
void swiotlb_reconnect(void);
#else
static inline void swiotlb_init(bool addressing_limited, unsigned int flags)
{
}

static inline void swiotlb_dev_init(struct device *dev)
{
}

static inline bool swiotlb_used_by(struct device *dev)
{
	return false;
}

static inline struct io_tlb_pool *swiotlb_find_pool(struct device *dev,
						    phys_addr_t paddr)
{
	return NULL;
}

static inline bool is_swiotlb_force_bounce(struct device *dev)
{
	return false;
}

static inline void swiotlb_exit(void)
{
}

static inline size_t swiotlb_max_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

static inline bool is_swiotlb_allocated(void)
{
	return false;
}

static inline bool is_swiotlb_active(struct device *dev)
{
	return false;
}

static inline void swiotlb_adjust_size(unsigned long size)
{
}

static inline phys_addr_t default_swiotlb_base(void)
{
	return 0;
}

static inline phys_addr_t default_swiotlb_limit(void)
{
	return 0;
}

static inline bool swiotlb_supports(struct device *dev, u64 mask)
{
	return false;
}

static inline void swiotlb_prepare(struct device *dev)
{
}
#endif /* CONFIG_SWIOTLB */

#ifdef CONFIG_SWIOTLB_DYNAMIC
void swiotlb_stop_growth(void);
#else
static inline void swiotlb_stop_growth(void)
{
}
#endif

phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig_addr,
				   size_t mapping_size,
				   unsigned int alloc_align_mask,
				   enum dma_data_direction dir,
				   unsigned long *attrs);
dma_addr_t swiotlb_map(struct device *dev, phys_addr_t paddr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs);

void __swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb_addr,
				size_t mapping_size,
				enum dma_data_direction dir,
				unsigned long attrs, struct io_tlb_pool *pool);
void __swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb_addr,
				      size_t size, enum dma_data_direction dir,
				      struct io_tlb_pool *pool);
void __swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb_addr,
				   size_t size, enum dma_data_direction dir,
				   struct io_tlb_pool *pool);

/**
 * swiotlb_tbl_unmap_single() - unmap, if it is a bounce buffer
 * @dev:	Device that it was mapped for.
 * @addr:	Physical address that was mapped. If it is not in a bounce buffer,
 *		nothing is done, so the caller need not check.
 * @size:	Size of the mapping in bytes.
 * @dir:	DMA direction of the mapping.
 * @attrs:	DMA_ATTR_*.
 *
 * Context: Any.
 */
static inline void swiotlb_tbl_unmap_single(struct device *dev,
					    phys_addr_t addr, size_t size,
					    enum dma_data_direction dir,
					    unsigned long attrs)
{
	if (swiotlb_used_by(dev))
		__swiotlb_tbl_unmap_single(dev, addr, size, dir, attrs, NULL);
}

/**
 * swiotlb_sync_single_for_device() - hand over to the device, if it is a bounce buffer
 * @dev:	Device that it was mapped for.
 * @addr:	Physical address within what was mapped, as for
 *		swiotlb_tbl_unmap_single().
 * @size:	Number of bytes.
 * @dir:	DMA direction of the mapping.
 *
 * Context: Any.
 */
static inline void swiotlb_sync_single_for_device(struct device *dev,
						  phys_addr_t addr, size_t size,
						  enum dma_data_direction dir)
{
	if (swiotlb_used_by(dev))
		__swiotlb_sync_single_for_device(dev, addr, size, dir, NULL);
}

/**
 * swiotlb_sync_single_for_cpu() - hand over to the CPU, if it is a bounce buffer
 * @dev:	Device that it was mapped for.
 * @addr:	Physical address within what was mapped, as for
 *		swiotlb_tbl_unmap_single().
 * @size:	Number of bytes.
 * @dir:	DMA direction of the mapping.
 *
 * Context: Any.
 */
static inline void swiotlb_sync_single_for_cpu(struct device *dev,
					       phys_addr_t addr, size_t size,
					       enum dma_data_direction dir)
{
	if (swiotlb_used_by(dev))
		__swiotlb_sync_single_for_cpu(dev, addr, size, dir, NULL);
}

void swiotlb_print_info(void);

#ifdef CONFIG_DMA_RESTRICTED_POOL
struct page *swiotlb_alloc(struct device *dev, size_t size, unsigned long attrs);
bool swiotlb_free(struct device *dev, struct page *page, size_t size);

/**
 * is_swiotlb_for_alloc() - is coherent memory taken from the device's pool?
 * @dev:	Device that has been initialised.
 *
 * Context: Any.
 * Return: %true if the pool is a restricted one.
 */
static inline bool is_swiotlb_for_alloc(struct device *dev)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	return mem && mem->for_alloc;
}
#else
static inline struct page *swiotlb_alloc(struct device *dev, size_t size,
					 unsigned long attrs)
{
	return NULL;
}

static inline bool swiotlb_free(struct device *dev, struct page *page,
				size_t size)
{
	return false;
}

static inline bool is_swiotlb_for_alloc(struct device *dev)
{
	return false;
}
#endif /* CONFIG_DMA_RESTRICTED_POOL */

#endif /* __LINUX_SWIOTLB_H */
