// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that must never be bounced. Older kernels do not have these attributes.
 */
#include <dma/direct.h>
#include "test.h"

#ifdef MAPS_PHYS
static struct device device;

static const unsigned long never[] = { DMA_ATTR_MMIO, DMA_ATTR_REQUIRE_COHERENT };

static void expect_refused(struct buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		EXPECT(dma_direct_map_phys(&device, buffer->phys, buffer->size,
					   DMA_BIDIRECTIONAL, never[i], true) ==
		       DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 0);
}

/* MMIO and memory that has to be coherent fail under force, on Xen too. */
TEST_ALL_FRAMES(never_bounced_by_force)
{
	struct buffer buffer;

	boot(variant, "512,force");
	device_init(&device, 64);
	buffer = buffer_alloc(4096, 0, 0);
	expect_refused(&buffer);
	buffer_free(&buffer);
}

/* They fail if the device does not reach them. That is said. */
TEST(never_bounced_out_of_reach)
{
	struct buffer buffer;

	boot(FRAMES_NATIVE, "512");
	device_init(&device, 64);
	*device.dma_mask = DMA_BIT_MASK(21);
	buffer = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	expect_refused(&buffer);
	EXPECT_EQ(machine_expect_warning("overflow"), ARRAY_SIZE(never));
	buffer_free(&buffer);
}
#endif
