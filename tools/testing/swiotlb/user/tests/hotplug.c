// SPDX-License-Identifier: GPL-2.0
/*
 * A domU that was configured without devices is given one. Its pool, its counters and the
 * words of its P2M leaves are set up late.
 */
#include <dma/direct.h>
#include "test.h"
#include <asm/dma-machine.h>
#include <asm/swiotlb.h>
#include <asm/xen/p2m-leaf.h>

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

static void boot_domu(enum machine_frames frames, const char *param)
{
	struct machine_config config = { .frames = frames, .cpus = 2, .seed = 1 };

	machine_power_on(&config);
	machine_is_dom0 = false;
	if (param)
		machine_set_param("swiotlb", param);
	core_boot(&config);
	machine_run_initcalls();
	EXPECT(!is_swiotlb_allocated());
	EXPECT_EQ(xen_p2m_nr_leaves, 0);
}

static void forget_leaves(void)
{
	kvfree(xen_p2m_leaves);
	xen_p2m_nr_leaves = 0;
}

/* xen_p2m_contiguous() says of these pages what their entries say. */
static void expect_true_words(unsigned long index, unsigned long nr)
{
	bool follow = true;
	unsigned long i;

	for (i = 1; i < nr; i++)
		follow &= machine_frame_of(index + i) == machine_frame_of(index) + i;
	EXPECT_EQ(xen_p2m_contiguous(PHYS_PFN(machine_page_phys(index)), nr), follow);
}

TEST_ALL_FRAMES(hotplug_pool)
{
	unsigned long *leaves, i;
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	if (variant == FRAMES_NATIVE)
		return;
	boot_domu(variant, "4096,force");
	pci_xen_swiotlb_init_late();
	EXPECT(machine_said("only able to allocate 4 MB"));
	EXPECT_EQ(counter("io_tlb_nslabs"), 2048);
	device_init(&dev, 32);
	EXPECT(is_swiotlb_active(&dev));
	EXPECT(is_swiotlb_force_bounce(&dev));
	buffer = buffer_alloc(50000, 10, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT_EQ(counter("io_tlb_used"), 25);
	expect_hiwater(25);
	unmap(&dev, dma, 50000, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);

	/* There are words, and they are right. */
	EXPECT(xen_p2m_nr_leaves);
	for (i = 0; i < 2000; i += 64, machine_ticks++)
		expect_true_words(i, 64);

	leaves = xen_p2m_leaves;
	pci_xen_swiotlb_init_late();
	EXPECT_EQ(counter("io_tlb_nslabs"), 2048);
	EXPECT(xen_p2m_leaves == leaves);
	forget_leaves();
}

/* In a guest that has set up its pool at boot, nothing changes. */
TEST(hotplug_after_boot)
{
	unsigned long *leaves;

	boot(FRAMES_BY_2M, "1024");
	leaves = xen_p2m_leaves;
	pci_xen_swiotlb_init_late();
	EXPECT_EQ(mem->nslabs, 1024);
	EXPECT(xen_p2m_leaves == leaves);
}

static unsigned long hole;

/*
 * While the words are being set up, a reader asks. A writer that has seen no words writes an
 * entry, and so makes no word UNKNOWN.
 */
static void write_meanwhile(void)
{
	unsigned long leaf = PHYS_PFN(machine_page_phys(hole)) / P2M_PER_PAGE;

	if (!xen_p2m_nr_leaves) {
		machine_interrupt = write_meanwhile;
		return;
	}
	EXPECT(leaf < xen_p2m_nr_leaves);
	xen_p2m_contiguous(PHYS_PFN(machine_page_phys(hole)), 2);
	EXPECT_EQ(xen_p2m_leaves[leaf], XEN_P2M_UNKNOWN);
	xen_p2m_addr[PHYS_PFN(machine_page_phys(hole))] = INVALID_P2M_ENTRY;
}

TEST(hotplug_leaves_while_written)
{
	boot_domu(FRAMES_OFFSET, NULL);
	hole = 300;
	machine_interrupt = write_meanwhile;
	xen_p2m_leaves_init_late();
	EXPECT(!machine_interrupt);
	machine_ticks++;
	EXPECT(xen_p2m_contiguous(PHYS_PFN(machine_page_phys(0)), 300));
	EXPECT(!xen_p2m_contiguous(PHYS_PFN(machine_page_phys(0)), 301));
	EXPECT(xen_p2m_leaves[PHYS_PFN(machine_page_phys(0)) / P2M_PER_PAGE] & XEN_P2M_VALID);
	forget_leaves();
}

/* There is no memory for a pool, which is reported. The next device gets a pool. */
TEST(hotplug_no_pool)
{
	struct buffer buffer;
	struct device dev;

	boot_domu(FRAMES_BY_PAGE, NULL);
	machine_limit_extents(2);
	pci_xen_swiotlb_init_late();
	EXPECT(machine_said("only able to allocate 4 MB"));
	EXPECT(machine_said("no bounce memory"));
	EXPECT(!is_swiotlb_allocated());
	EXPECT_EQ(machine_extents_in_use(), 0);

	/* A device that reaches all memory can use a page without bouncing. */
	device_init(&dev, 64);
	EXPECT(!is_swiotlb_active(&dev));
	buffer = buffer_alloc(PAGE_SIZE, 0, __GFP_HIGHMEM);
	EXPECT(capable(&dev, buffer.phys, phys_to_dma(&dev, buffer.phys), PAGE_SIZE));
	buffer_free(&buffer);

	machine_limit_extents(1000);
	pci_xen_swiotlb_init_late();
	EXPECT(machine_said("only able to allocate 4 MB"));
	EXPECT(is_swiotlb_allocated());
	forget_leaves();
}

/* There is no memory for the words: a message, all entries are read, and there is a pool. */
TEST(hotplug_no_leaves)
{
	unsigned long i;

	boot_domu(FRAMES_BY_2M, NULL);
	machine_fail_nth(FAIL_KMALLOC, 1);
	pci_xen_swiotlb_init_late();
	EXPECT(machine_said("no memory to remember"));
	EXPECT(machine_said("only able to allocate 4 MB"));
	EXPECT_EQ(xen_p2m_nr_leaves, 0);
	EXPECT(is_swiotlb_allocated());
	for (i = 0; i < 2000; i += 64)
		expect_true_words(i, 64);
}

/* swiotlb=noforce forbids a late pool too. */
TEST(hotplug_forbidden)
{
	boot_domu(FRAMES_BY_PAGE, "noforce");
	pci_xen_swiotlb_init_late();
	EXPECT(!is_swiotlb_allocated());
	forget_leaves();
}
