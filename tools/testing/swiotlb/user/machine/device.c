// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of the fake machine: what they reach, and what they read and write.
 */
#include "machine.h"

void machine_device_init(struct device *dev, u64 *mask)
{
	memset(dev, 0, sizeof(*dev));
	dev->name = "test";
	dev->dma_mask = mask;
	dev->coherent_dma_mask = *mask;
	dev->dma_coherent = true;
	dev->segment_boundary = U32_MAX;
	swiotlb_dev_init(dev);
}

/* Machine address for a DMA address of the device; false if there is none */
static bool dma_to_machine(struct device *dev, dma_addr_t dma, u64 *maddr)
{
	const struct bus_dma_region *region = dev->dma_range_map;

	dma = dma_addr_canonical(dma);
	*maddr = dma - dev->archdata.dma_offset;
	if (!region)
		return true;
	for (; region->size; region++) {
		if (dma < region->dma_start || dma - region->dma_start >= region->size)
			continue;
		*maddr = region->cpu_start + (dma - region->dma_start);
		return true;
	}
	return false;
}

/* Has the device enough address lines? */
bool machine_reaches(struct device *dev, dma_addr_t dma, size_t size)
{
	u64 limit = min_not_zero(*dev->dma_mask, dev->bus_dma_limit);

	return dma + size - 1 >= dma && dma + size - 1 <= limit;
}

/* Physical address of the memory that a device sees at @dma, or DMA_PHYS_NONE */
phys_addr_t machine_dma_to_phys(struct device *dev, dma_addr_t dma)
{
	long index;
	u64 maddr;

	if (!dma_to_machine(dev, dma, &maddr))
		return (phys_addr_t)-1;
	index = machine_page_behind(PHYS_PFN(maddr));
	if (index < 0)
		return (phys_addr_t)-1;
	return machine_page_phys(index) + offset_in_page(maddr);
}

/**
 * machine_dma() - a device accesses memory
 * @dev:	Device.
 * @dma:	DMA address.
 * @data:	What it writes, or where it reads to.
 * @size:	Bytes.
 * @write:	It writes.
 *
 * Return: %true; %false if a page is not in memory or is encrypted. A real device would
 * see a bus error or an IOMMU fault then. Earlier pages may have been
 * written.
 */
bool machine_dma(struct device *dev, dma_addr_t dma, void *data, size_t size, bool write)
{
	phys_addr_t phys;
	size_t len;

	if (!machine_reaches(dev, dma, size))
		return false;
	for (; size; size -= len, data += len, dma += len) {
		len = min(size, (size_t)(PAGE_SIZE - offset_in_page(dma)));
		phys = machine_dma_to_phys(dev, dma);
		if (phys == (phys_addr_t)-1 || !machine_is_decrypted(machine_page_index(phys)) ||
		    !machine_tag_is_right(machine_page_index(phys), dma))
			return false;
		if (write)
			memcpy(machine_memory(phys), data, len);
		else
			memcpy(data, machine_memory(phys), len);
	}
	return true;
}
