// SPDX-License-Identifier: GPL-2.0
/*
 * What is no memory: registers, and the memory of another device.
 */
#include <linux/memremap.h>
#include <linux/pci-p2pdma.h>
#include <linux/scatterlist.h>

#include "parity.h"

/* Another device's registers are where the bus says. */
int row_map_resource(struct edu *edu, struct said *said)
{
	phys_addr_t bar = pci_resource_start(edu->pdev, 0);
	dma_addr_t bus = pci_bus_address(edu->pdev, 0);
	dma_addr_t dma;

	dma = dma_map_resource(edu->dev, bar, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	if (dma_mapping_error(edu->dev, dma)) {
		say(said, "refused");
		return -EIO;
	}
	dma_unmap_resource(edu->dev, dma, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	say(said, "%#llx at %#llx", (u64)bar, (u64)dma);
	return dma == bus ? YES : -EIO;
}

/* A device with memory that others may reach. To be put. */
static struct pci_dev *find_provider(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (pci_has_p2pmem(pdev))
			return pdev;
	}
	return NULL;
}

/* What edu stored there is what the CPU finds there, and edu itself reads back. */
static int peer_moves(struct edu *edu, struct edu_map *map)
{
	const unsigned int len = 1021;
	u32 salt = edu_random(edu, U32_MAX);
	u8 *seen;

	if (edu_write(edu, salt) || edu_store(edu, map, 0, 0, len))
		return -EIO;
	if (edu_check(edu, map->mem, len, salt, 0, "device memory"))
		return -EIO;
	if (edu_write(edu, salt + 1) || edu_load(edu, map, 0, 0, len))
		return -EIO;
	seen = edu_read(edu, len);
	return seen ? edu_check(edu, seen, len, salt, 0, "read from device memory") : -EIO;
}

static int peer_map(struct edu *edu, struct pci_dev *provider, void *mem, struct said *said)
{
	struct edu_map map = { .mem = mem, .size = PAGE_SIZE, .dir = DMA_BIDIRECTIONAL };
	struct scatterlist sg;
	struct sg_table table = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
	pci_bus_addr_t bus;
	bool reached;
	int err;

	bus = pci_p2pmem_virt_to_bus(provider, mem);
	reached = bus + PAGE_SIZE - 1 <= *edu->dev->dma_mask;
	sg_init_table(&sg, 1);
	sg_set_page(&sg, virt_to_page(mem), PAGE_SIZE, 0);
	err = dma_map_sgtable(edu->dev, &table, map.dir, DMA_ATTR_NO_WARN);
	if (err) {
		say(said, "%srefused, error %d", reached ? "" : "out of reach, ", err);
		return err == -EREMOTEIO || (err == -EIO && !reached) ? YES : err;
	}
	map.dma = sg_dma_address(&sg);
	if (map.dma == bus && reached)
		err = peer_moves(edu, &map);
	else
		err = -EIO;
	dma_unmap_sgtable(edu->dev, &table, map.dir, 0);
	say(said, err ? "wrong" : "moved");
	return err;
}

/* Another device's memory: right, or refused as natively. */
int row_peer_to_peer(struct edu *edu, struct said *said)
{
	struct pci_dev *provider = find_provider();
	void *mem;
	int err = -ENOMEM;

	if (!provider)
		return NOT_HERE;
	mem = pci_alloc_p2pmem(provider, PAGE_SIZE);
	if (mem) {
		err = peer_map(edu, provider, mem, said);
		pci_free_p2pmem(provider, mem, PAGE_SIZE);
	} else {
		say(said, "the device gives no memory");
	}
	pci_dev_put(provider);
	return err;
}
