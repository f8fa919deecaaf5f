// SPDX-License-Identifier: GPL-2.0
/*
 * Takes all memory below 4 GiB that the DMA API gives in pieces of at least 256 KiB, as
 * long as the module is loaded. In dom0 that is all that the hypervisor has there. The
 * hypervisor keeps smaller pieces: without any it cannot create a domain.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

/* A piece of it, at the start of the piece itself */
struct piece {
	struct piece *next;
	dma_addr_t dma;
	size_t size;
};

static struct platform_device *hog;
static struct piece *pieces;

static u64 take(size_t size)
{
	struct piece *piece;
	u64 sum = 0;
	dma_addr_t dma;

	for (;;) {
		piece = dma_alloc_coherent(&hog->dev, size, &dma, GFP_KERNEL | __GFP_NOWARN);
		if (!piece)
			return sum;
		piece->next = pieces;
		piece->dma = dma;
		piece->size = size;
		pieces = piece;
		sum += size;
	}
}

static int __init hog_start(void)
{
	const struct platform_device_info info = {
		.name = "swiotlb_hog",
		.dma_mask = DMA_BIT_MASK(32),
	};
	size_t size;
	u64 sum = 0;

	hog = platform_device_register_full(&info);
	if (IS_ERR(hog))
		return PTR_ERR(hog);
	for (size = SZ_2M; size >= SZ_256K; size /= 2)
		sum += take(size);
	pr_info("# %llu KiB below 4 GiB taken\n", sum >> 10);
	return 0;
}

static void __exit hog_stop(void)
{
	struct piece *next;

	for (; pieces; pieces = next) {
		next = pieces->next;
		dma_free_coherent(&hog->dev, pieces->size, pieces, pieces->dma);
	}
	platform_device_unregister(hog);
}

module_init(hog_start);
module_exit(hog_stop);
MODULE_DESCRIPTION("Takes all memory below 4 GiB");
MODULE_LICENSE("GPL");
