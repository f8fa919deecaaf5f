// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of coherent memory for kernel/dma/direct.c: the area of contiguous memory, which
 * here is in high memory if there is any, and remapped addresses.
 *
 * A remapped address has memory of its own, so devices do not see what the CPU writes
 * there. It is only for tests that follow the pages.
 */
#include "machine.h"

#define MAX_REMAPPED	8

static struct remapped {
	void *vaddr;
	size_t size;
	struct page *page;
} remapped[MAX_REMAPPED];

struct page *dma_alloc_contiguous(struct device *dev, size_t size, gfp_t gfp)
{
	phys_addr_t phys;

	if (!PageHighMem(pfn_to_page(PHYS_PFN(MACHINE_HIGH_START))) || !gfpflags_allow_blocking(gfp))
		return NULL;
	might_sleep();
	phys = machine_alloc(PAGE_SIZE << get_order(size), gfp | __GFP_HIGHMEM);
	return phys == (phys_addr_t)-1 ? NULL : pfn_to_page(PHYS_PFN(phys));
}

void dma_free_contiguous(struct device *dev, struct page *page, size_t size)
{
	__free_pages(page, get_order(size));
}

static struct remapped *find_remapped(const void *vaddr)
{
	struct remapped *r;

	for (r = remapped; r < remapped + MAX_REMAPPED; r++)
		if (vaddr >= r->vaddr && vaddr < r->vaddr + r->size)
			return r;
	return NULL;
}

void *dma_common_contiguous_remap(struct page *page, size_t size, pgprot_t prot,
				  const void *caller)
{
	struct remapped *r;

	might_sleep();
	for (r = remapped; r < remapped + MAX_REMAPPED; r++) {
		if (r->size)
			continue;
		*r = (struct remapped){ aligned_alloc(PAGE_SIZE, size), size, page };
		return r->vaddr;
	}
	return NULL;
}

bool is_vmalloc_addr(const void *vaddr)
{
	return find_remapped(vaddr);
}

struct page *vmalloc_to_page(const void *vaddr)
{
	struct remapped *r = find_remapped(vaddr);

	if (!r)
		machine_fail("nothing is remapped to %p", vaddr);
	return r->page + ((vaddr - r->vaddr) >> PAGE_SHIFT);
}

unsigned long vmalloc_to_pfn(const void *vaddr)
{
	return page_to_pfn(vmalloc_to_page(vaddr));
}

void vunmap(const void *vaddr)
{
	struct remapped *r = find_remapped(vaddr);

	might_sleep();
	if (!r || r->vaddr != vaddr)
		machine_fail("%p is no remapped address", vaddr);
	free(r->vaddr);
	*r = (struct remapped){ };
}
