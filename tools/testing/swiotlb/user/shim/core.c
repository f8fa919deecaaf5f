// SPDX-License-Identifier: GPL-2.0
/*
 * lib/swiotlb_init.c as it is, and two functions that tests need in the same file: one
 * resets all state, one boots.
 */
#include <swiotlb_init.c>

#include "../machine/machine.h"
#include <asm/swiotlb.h>

bool x86_swiotlb_enable;
bool xen_pv_pci_possible;
bool machine_is_dom0;

static void forget_stale(void)
{
	struct io_tlb_stale *stale = io_tlb_default_mem.stale, *next;

	for (; stale; stale = next) {
		next = stale->next;
		free(stale);
	}
}

void core_reset(void)
{
	forget_stale();
	memset(&io_tlb_default_mem, 0, sizeof(io_tlb_default_mem));
	swiotlb_mem_init(&io_tlb_default_mem);
	force_bounce = false;
	force_disable = false;
	nslabs_requested = false;
	default_nslabs = IO_TLB_DEFAULT_SIZE >> IO_TLB_SHIFT;
	default_nareas = 0;
	xen_dma_key = false;
	x86_swiotlb_enable = false;
	machine_is_dom0 = true;
}

void core_boot(const struct machine_config *config)
{
	if (config->frames != FRAMES_NATIVE)
		pci_xen_swiotlb_init();
	else if (!config->no_pool)
		swiotlb_init(true, config->flags);
	swiotlb_update_mem_attributes();
}
