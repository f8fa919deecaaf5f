// SPDX-License-Identifier: GPL-2.0
/*
 * DMA tests on QEMU's edu device (1234:11e8), started with dma_mask=0xffffffff.
 * Loading the module runs them; the result is KTAP in the kernel log. They take
 * about 20 s: edu needs 100 ms of virtual time for each of the 157 transfers.
 *
 *   seed=N      other contents, sizes and orders
 *   expect=     bounce, direct or error: what must happen to buffers above 4 GiB
 *               (any, the default: mapped either way)
 *   expect_low= the same for buffers below 4 GiB
 *   wrong_by=N  the device gets addresses that are wrong by N bytes: the tests
 *               must fail, and hit no memory but their own. With N = 2048 swiotlb
 *               still finds slots. With a smaller N it cannot align them, so
 *               buffers above 4 GiB are not mapped at all.
 */
#include <linux/dma-direct.h>
#include <linux/module.h>

#include "edu.h"

#define WRONG_MOST	EDU_BLOCK

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "seed of contents, sizes and orders (default 1)");

static unsigned int wrong_by;
module_param(wrong_by, uint, 0444);
MODULE_PARM_DESC(wrong_by, "make every DMA address wrong by so many bytes (at most 2048)");

static char *expect = "any";
module_param(expect, charp, 0444);
MODULE_PARM_DESC(expect, "bounce, direct, error or any: the fate of buffers above 4 GiB");

static char *expect_low = "any";
module_param(expect_low, charp, 0444);
MODULE_PARM_DESC(expect_low, "the same for buffers below 4 GiB");

static const char * const expect_name[] = { "any", "bounce", "direct", "error" };

static int expect_parse(const char *name)
{
	return match_string(expect_name, ARRAY_SIZE(expect_name), name);
}

static const struct edu_test {
	const char *name;
	int (*run)(struct edu *edu, enum edu_zone zone);
	enum edu_zone zone;
} tests[] = {
	{ "device_answers", test_device_answers, EDU_LOW },
	{ "expected_path_low", test_expected_path, EDU_LOW },
	{ "expected_path_high", test_expected_path, EDU_HIGH },
	{ "to_device_low", test_to_device, EDU_LOW },
	{ "to_device_high", test_to_device, EDU_HIGH },
	{ "from_device_low", test_from_device, EDU_LOW },
	{ "from_device_high", test_from_device, EDU_HIGH },
	{ "large_low", test_large, EDU_LOW },
	{ "large_high", test_large, EDU_HIGH },
	{ "partial_write", test_partial_write, EDU_MAPPABLE },
	{ "unmap_skip_cpu_sync", test_skip_cpu_sync, EDU_MAPPABLE },
	{ "sg_to_device", test_sg_to_device, EDU_MAPPABLE },
	{ "sg_from_device", test_sg_from_device, EDU_MAPPABLE },
	{ "sg_sync", test_sg_sync, EDU_MAPPABLE },
	{ "sync_for_cpu", test_sync_for_cpu, EDU_MAPPABLE },
	{ "sync_for_device", test_sync_for_device, EDU_MAPPABLE },
	{ "sync_transfer", test_sync_transfer, EDU_MAPPABLE },
	{ "coherent_sizes", test_coherent_sizes, EDU_MAPPABLE },
	{ "coherent_data", test_coherent_data, EDU_MAPPABLE },
	{ "coherent_masks", test_coherent_masks, EDU_MAPPABLE },
	{ "coherent_atomic", test_coherent_atomic, EDU_MAPPABLE },
	{ "coherent_reuse", test_coherent_reuse, EDU_MAPPABLE },
	{ "alloc_pages", test_alloc_pages, EDU_MAPPABLE },
	{ "alloc_noncontiguous", test_alloc_noncontiguous, EDU_MAPPABLE },
	{ "map_resource", test_map_resource, EDU_MAPPABLE },
	{ "required_mask", test_required_mask, EDU_HIGH },
	{ "need_sync_low", test_need_sync, EDU_LOW },
	{ "need_sync_high", test_need_sync, EDU_MAPPABLE },
	{ "need_sync_64bit", test_need_sync_64bit, EDU_MAPPABLE },
	{ "max_mapping", test_max_mapping, EDU_MAPPABLE },
	{ "beyond_max_mapping", test_beyond_max_mapping, EDU_MAPPABLE },
	{ "outstanding", test_outstanding, EDU_MAPPABLE },
	{ "min_align_mask", test_min_align_mask, EDU_MAPPABLE },
	{ "seg_boundary", test_seg_boundary, EDU_MAPPABLE },
};

static int run_one(struct edu *edu, const struct edu_test *test)
{
	/* With expect=error only these two tests can use buffers above 4 GiB. */
	if (test->zone == EDU_HIGH && edu->expect == EXPECT_ERROR &&
	    test->run != test_expected_path && test->run != test_required_mask) {
		edu->why = "buffers above 4 GiB cannot be mapped here";
		return EDU_SKIP;
	}
	return test->run(edu, test->zone);
}

static void run_all(struct edu *edu)
{
	unsigned int failed = 0;
	int i, ret;

	pr_info("KTAP version 1\n");
	pr_info("1..1\n");
	pr_info("    KTAP version 1\n");
	pr_info("    # Subtest: swiotlb_edu\n");
	pr_info("    1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		ret = run_one(edu, &tests[i]);
		if (ret == EDU_SKIP) {
			pr_info("    ok %d %s # SKIP %s\n", i + 1, tests[i].name, edu->why);
			continue;
		}
		pr_info("    %s %d %s\n", ret ? "not ok" : "ok", i + 1, tests[i].name);
		if (ret)
			failed++;
	}
	pr_info("%s 1 swiotlb_edu\n", failed ? "not ok" : "ok");
	pr_info("# edu: %u transfers, seed %u\n", edu->transfers, edu->seed);
	pr_info("# STAT dev=edu moved=%llu\n", edu->moved);
}

/* The wrong translation. The driver core frees dev->dma_range_map, so put it back. */
static const struct bus_dma_region *right_map;
static struct bus_dma_region wrong_map[2];

static void wrong_start(struct edu *edu)
{
	right_map = edu->dev->dma_range_map;
	if (!edu->wrong_by)
		return;
	wrong_map[0].dma_start = edu->wrong_by;
	wrong_map[0].size = U64_MAX - edu->wrong_by;
	edu->dev->dma_range_map = wrong_map;
}

static void wrong_end(struct edu *edu)
{
	edu->dev->dma_range_map = right_map;
}

/* edu->pages are whole pages: without the wrong map the address has no low bits set. */
static bool wrong_works(struct edu *edu)
{
	if (offset_in_page(edu->pages_dma) == edu->wrong_by)
		return true;
	dev_err(edu->dev, "wrong_by: this kernel translates without dma_range_map\n");
	return false;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int err;

	edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	edu->dev = &pdev->dev;
	edu->seed = seed;
	edu->wrong_by = wrong_by;
	edu->expect = expect_parse(expect);
	edu->expect_low = expect_parse(expect_low);
	prandom_seed_state(&edu->rnd, seed);

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	edu->regs = pcim_iomap(pdev, 0, 0);
	if (!edu->regs)
		return -ENOMEM;
	dma_set_max_seg_size(edu->dev, UINT_MAX);
	err = dma_set_mask_and_coherent(edu->dev, DMA_BIT_MASK(32));
	if (err) {
		dev_err(edu->dev, "a mask of 32 bits is refused: %d\n", err);
		return err;
	}
	pci_set_master(pdev);

	wrong_start(edu);
	err = edu_device_open(edu);
	if (err)
		goto out;
	if (wrong_works(edu))
		run_all(edu);
	else
		err = -EOPNOTSUPP;
	edu_device_close(edu);
out:
	wrong_end(edu);
	pci_clear_master(pdev);
	return err;
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.driver = { .probe_type = PROBE_FORCE_SYNCHRONOUS },
};

static int __init edu_init(void)
{
	if (expect_parse(expect) < 0 || expect_parse(expect_low) < 0) {
		pr_err("swiotlb_edu: expect=%s expect_low=%s: use any, bounce, direct or error\n",
		       expect, expect_low);
		return -EINVAL;
	}
	if (wrong_by > WRONG_MOST) {
		pr_err("swiotlb_edu: wrong_by=%u: use 0 to %u\n", wrong_by, WRONG_MOST);
		return -EINVAL;
	}
	if (!pci_dev_present(edu_ids)) {
		pr_err("swiotlb_edu: no edu device: start QEMU with -device edu,dma_mask=0xffffffff\n");
		return -ENODEV;
	}
	return pci_register_driver(&edu_driver);
}
module_init(edu_init);

static void __exit edu_exit(void)
{
	pci_unregister_driver(&edu_driver);
}
module_exit(edu_exit);

MODULE_DESCRIPTION("DMA tests on QEMU's edu device");
MODULE_LICENSE("GPL");
