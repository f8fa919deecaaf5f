// SPDX-License-Identifier: GPL-2.0
/*
 * What a caller of the software IO TLB may rely on, checked without calling its code.
 * The rules come from Documentation/core-api/{dma-api,dma-api-howto,swiotlb}.rst and
 * from the callers that break when one does not hold.
 */
#include "machine.h"

/* Is the bounce buffer contiguous for the CPU too? The CPU copies it in one piece. */
static bool in_one_piece(struct device *dev, dma_addr_t dma, size_t size)
{
	phys_addr_t first = machine_dma_to_phys(dev, dma);
	size_t offset;

	if (first == (phys_addr_t)-1)
		return false;
	for (offset = PAGE_SIZE; offset < size; offset += PAGE_SIZE)
		if (machine_dma_to_phys(dev, dma + offset) != first + offset)
			return false;
	return machine_dma_to_phys(dev, dma + size - 1) == first + size - 1;
}

/**
 * contract_violation() - is a DMA address good for a device?
 * @dev:	Device.
 * @orig:	Physical address of the original buffer.
 * @size:	Its size in bytes.
 * @alloc_align_mask: What the caller of swiotlb_tbl_map_single() asked for, or 0.
 * @dma:	DMA address.
 *
 * Return: %NULL if it is, otherwise the rule that is broken.
 */
const char *contract_violation(struct device *dev, phys_addr_t orig, size_t size,
			       unsigned int alloc_align_mask, dma_addr_t dma)
{
	u64 boundary = dev->segment_boundary;
	unsigned int mask = dev->min_align_mask;

	/* dma_set_mask(), and the limit of the bus */
	if (dma == DMA_MAPPING_ERROR || !machine_reaches(dev, dma, size))
		return "out of reach";
	/* dma_set_seg_boundary() */
	if ((dma & ~boundary) != ((dma + size - 1) & ~boundary))
		return "across a segment boundary";
	/* dma_set_min_align_mask(): NVMe computes the offset in a page from the buffer */
	if ((dma ^ orig) & mask)
		return "without the bits of min_align_mask";
	/* An IOMMU maps all of an aligned piece; it must not hold anything else's data. */
	if ((dma - (orig & mask & alloc_align_mask)) & alloc_align_mask)
		return "not aligned as the allocation should be";
	/* Drivers rely on it, though only a comment in the code promises it. */
	if (!mask && !alloc_align_mask && size >= PAGE_SIZE && dma % PAGE_SIZE)
		return "not at the start of a page";
	if (!in_one_piece(dev, dma, size))
		return "scattered";
	return NULL;
}

void contract_check(struct device *dev, phys_addr_t orig, size_t size,
		    unsigned int alloc_align_mask, dma_addr_t dma)
{
	const char *violation = contract_violation(dev, orig, size, alloc_align_mask, dma);

	if (violation)
		machine_fail("%#llx+%#zx for %#llx is %s", (unsigned long long)dma, size,
			     (unsigned long long)orig, violation);
}

void copy_out(void *to, phys_addr_t phys, size_t size)
{
	size_t len;

	for (; size; size -= len, to += len, phys += len) {
		len = min(size, (size_t)(PAGE_SIZE - offset_in_page(phys)));
		memcpy(to, machine_memory(phys), len);
	}
}

void fill_random(phys_addr_t phys, size_t size, u64 *random)
{
	for (; size; size--, phys++)
		*machine_memory(phys) = machine_random(random);
}

/* Does the device see what is in the original buffer? */
void contract_check_content(struct device *dev, phys_addr_t orig, size_t size, dma_addr_t dma)
{
	u8 *seen = malloc(size), *meant = malloc(size);
	size_t i;

	if (!machine_dma(dev, dma, seen, size, false))
		machine_fail("the device cannot read %#llx+%#zx", (unsigned long long)dma, size);
	copy_out(meant, orig, size);
	for (i = 0; i < size && seen[i] == meant[i]; i++)
		;
	if (i < size)
		machine_fail("byte %zu of %zu is %02x, expected %02x", i, size, seen[i], meant[i]);
	free(seen);
	free(meant);
}
