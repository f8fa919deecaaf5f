/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel/dma/direct.c uses of the kernel, besides what the software IO TLB uses:
 * coherent memory, scatterlists, user mappings.
 */
#ifndef _SHIM_COHERENT_H
#define _SHIM_COHERENT_H

#define DMA_ATTR_NO_KERNEL_MAPPING	(1UL << 4)

#define dev_err_once		dev_err

static inline int dev_to_node(struct device *dev)
{
	return -1;
}

#define alloc_pages_node(node, gfp, order)	((void)(node), alloc_pages(gfp, order))

void *page_address(const struct page *page);
#define dma_free_from_pool_page(dev, page, size) \
	(!PageHighMem(page) && dma_free_from_pool(dev, page_address(page), size))
struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp);
void dma_free_contiguous(struct device *dev, struct page *page, size_t size);

/* --- the area of remapped memory --- */

typedef unsigned long pgprot_t;
typedef unsigned long pgoff_t;

#define fallthrough	__attribute__((__fallthrough__))

#define PAGE_KERNEL			0UL
#define pgprot_decrypted(prot)		(prot)
#define dma_pgprot(dev, prot, attrs)	((void)(attrs), prot)

void *dma_common_contiguous_remap(struct page *page, size_t size, pgprot_t prot,
				  const void *caller);
#define dma_common_free_remap(vaddr, size)	vunmap(vaddr)
bool is_vmalloc_addr(const void *vaddr);
struct page *vmalloc_to_page(const void *vaddr);
unsigned long vmalloc_to_pfn(const void *vaddr);
void vunmap(const void *vaddr);

/* --- what a driver shares with processes and other drivers --- */

/**
 * struct vm_area_struct - a piece of a process' address space
 * @vm_start:	First address.
 * @vm_pgoff:	Page of the mapped object that it starts with.
 * @pages:	Length.
 * @vm_page_prot: Of no meaning.
 * @pfn:	What remap_pfn_range() has put there.
 */
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_pgoff;
	unsigned long pages;
	pgprot_t vm_page_prot;
	unsigned long pfn;
};

#define vma_pages(vma)			((vma)->pages)
#define vma_start_pgoff(vma)		((vma)->vm_pgoff)
#define vma_end_pgoff(vma)		((vma)->vm_pgoff + (vma)->pages)

static inline int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
				  unsigned long pfn, unsigned long size, pgprot_t prot)
{
	vma->pfn = pfn;
	return 0;
}

struct scatterlist {
	struct page *page;
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
	unsigned int dma_length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
};

#define sg_page(sg)			((sg)->page)
#define sg_dma_address(sg)		((sg)->dma_address)
#define sg_dma_len(sg)			((sg)->dma_length)
#define sg_dma_is_bus_address(sg)	false
#define sg_dma_unmark_bus_address(sg)	do { } while (0)
#define sg_dma_mark_bus_address(sg)	do { } while (0)
#define sg_phys(sg)			(page_to_phys((sg)->page) + (sg)->offset)
#define for_each_sg(list, sg, nr, i)	for (i = 0, sg = (list); i < (nr); i++, sg++)

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->page = page;
	sg->length = len;
	sg->offset = offset;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_set_page(sg, virt_to_page(buf), len, offset_in_page(buf));
}

static inline void *sg_virt(const struct scatterlist *sg)
{
	return page_address(sg->page) + sg->offset;
}

#define sg_init_table(sgl, nr)		memset(sgl, 0, (nr) * sizeof(*(sgl)))

static inline int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	table->sgl = kcalloc(nents, sizeof(*table->sgl), gfp);
	table->nents = nents;
	return table->sgl ? 0 : -ENOMEM;
}

static inline void sg_free_table(struct sg_table *table)
{
	kfree(table->sgl);
}

/* --- not supported here: hooks of other architectures, peers, memory of a device --- */

struct pci_p2pdma_map_state {
	void *mem;
};

enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_NONE,
	PCI_P2PDMA_MAP_BUS_ADDR,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE,
};

#define pci_p2pdma_state(state, dev, page)	((void)(state), (void)(page), PCI_P2PDMA_MAP_NONE)
#define pci_p2pdma_bus_addr_map(mem, phys)	((void)(mem), (phys))

#define is_pci_p2pdma_page(page)		false
#define pci_p2pdma_map_segment(state, dev, sg)	((void)(state), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE)

#define dma_kmalloc_needs_bounce(dev, size, dir)	false
#define arch_dma_alloc(dev, size, handle, gfp, attrs)	NULL
#define arch_dma_free(dev, size, vaddr, dma, attrs)	do { } while (0)
#define arch_dma_prep_coherent(page, size)		do { } while (0)
#define arch_dma_set_uncached(vaddr, size)		(vaddr)
#define arch_dma_clear_uncached(vaddr, size)		do { } while (0)
#define arch_dma_mark_clean(phys, size)			do { } while (0)
#ifdef MAPS_PHYS
#define arch_sync_dma_for_cpu(phys, size, dir)		(machine_flushing = true)
#else
/* Here it has ended when the function returns. */
#define arch_sync_dma_for_cpu(phys, size, dir)		do { } while (0)
#endif
#define arch_sync_dma_for_cpu_all()			do { } while (0)
#define dma_alloc_from_global_coherent(dev, size, handle) NULL
#define dma_release_from_global_coherent(order, vaddr)	((void)(order), 0)
#define dma_mmap_from_dev_coherent(dev, vma, vaddr, size, ret) 0
#define dma_mmap_from_global_coherent(vma, vaddr, size, ret) 0
#define dma_addressing_limited(dev) \
	(min_not_zero(*(dev)->dma_mask, (dev)->bus_dma_limit) < dma_direct_get_required_mask(dev))

static inline int walk_system_ram_range(unsigned long start_pfn, unsigned long nr_pages, void *arg,
					int (*func)(unsigned long, unsigned long, void *))
{
	return func(PHYS_PFN(0x800000), 1, arg);
}

#endif
