// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of another device, mapped by its address and by its pages. Natively data has to
 * move. A PV guest does not know what Xen's IOMMU lets pass, so it may also refuse, if
 * drivers are told so beforehand.
 */
#include <linux/memremap.h>
#include <linux/pci-p2pdma.h>
#include <linux/scatterlist.h>

#include <xen/xen.h>

#include "parity.h"

/* A page in a device that lets others reach its memory. The caller must put the device. */
static void *alloc_from_provider(struct pci_dev **provider)
{
	struct pci_dev *pdev = NULL;
	void *mem;

	for_each_pci_dev(pdev) {
		mem = pci_alloc_p2pmem(pdev, PAGE_SIZE);
		if (mem) {
			*provider = pdev;
			return mem;
		}
	}
	return NULL;
}

static int with_peer(struct edu *edu, struct said *said,
		     int (*run)(struct edu *edu, struct pci_dev *provider, void *mem,
				struct said *said))
{
	struct pci_dev *provider;
	void *mem = alloc_from_provider(&provider);
	int err;

	if (!mem)
		return NOT_HERE;
	err = run(edu, provider, mem, said);
	pci_free_p2pmem(provider, mem, PAGE_SIZE);
	pci_dev_put(provider);
	return err;
}

/* The CPU, and edu itself, must read back what edu has stored there. */
static int transfer(struct edu *edu, struct edu_map *map)
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

static int peer_moves(struct edu *edu, struct edu_map *map, struct said *said)
{
	int err = transfer(edu, map);

	say(said, "%s at %#llx", err ? "not moved" : "moved", (u64)map->dma);
	return err;
}

static int refusal(struct said *said, int err)
{
	say(said, "refused, error %d", err);
	return xen_pv_domain() ? YES : err;
}

static int resource_map(struct edu *edu, struct pci_dev *provider, void *mem, struct said *said)
{
	struct edu_map map = { .mem = mem, .size = PAGE_SIZE, .dir = DMA_BIDIRECTIONAL };
	phys_addr_t phys = page_to_phys(virt_to_page(mem));
	int err;

	map.dma = dma_map_resource(edu->dev, phys, PAGE_SIZE, map.dir, 0);
	err = dma_mapping_error(edu->dev, map.dma);
	if (err)
		return refusal(said, err);
	err = peer_moves(edu, &map, said);
	dma_unmap_resource(edu->dev, map.dma, PAGE_SIZE, map.dir, 0);
	return err;
}

static int resource(struct edu *edu, struct said *said)
{
	return with_peer(edu, said, resource_map);
}

/* Another device's memory by its address */
int row_map_resource(struct edu *edu, struct said *said)
{
	return with_mask(edu, 64, said, resource);
}

static int pages_map(struct edu *edu, struct pci_dev *provider, void *mem, struct said *said)
{
	struct edu_map map = { .mem = mem, .size = PAGE_SIZE, .dir = DMA_BIDIRECTIONAL };
	struct scatterlist sg;
	struct sg_table table = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
	bool told = !dma_pci_p2pdma_supported(edu->dev) &&
		    pci_p2pdma_distance(provider, edu->dev, false) < 0;
	int err;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, virt_to_page(mem), PAGE_SIZE, 0);
	err = dma_map_sgtable(edu->dev, &table, map.dir, DMA_ATTR_NO_WARN);
	if (err) {
		err = refusal(said, err);
		return told || err ? err : -EIO;
	}
	map.dma = sg_dma_address(&sg);
	err = peer_moves(edu, &map, said);
	dma_unmap_sgtable(edu->dev, &table, map.dir, 0);
	return err;
}

static int pages(struct edu *edu, struct said *said)
{
	return with_peer(edu, said, pages_map);
}

/* Another device's memory by its pages */
int row_peer_to_peer(struct edu *edu, struct said *said)
{
	return with_mask(edu, 64, said, pages);
}
