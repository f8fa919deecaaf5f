// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions that a packet of a network card takes in the whole system. The
 * other end must send every frame back. A frame to a foreign address is only sent: the
 * card drops it when it returns. A frame to the card's own address is sent and received.
 * Prints one line per case, each counted three times.
 *
 *   netload NAME INTERFACE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "busy.h"
#include "guest.h"

#define PROTOCOL	0x88b5		/* for local experiments */
#define PACKETS		1024
#define DEPTH_MOST	64
#define SILENCE_S	10
#define TIMES		3

static const size_t sizes[] = { 60, 512, 1514 };
static const unsigned int depths[] = { 1, 4, 16, DEPTH_MOST };

struct load {
	int sock;
	unsigned char own[ETH_ALEN];
	unsigned char frame[ETH_FRAME_LEN];
	bool back;		/* to ourselves */
	size_t size;
	unsigned int depth;
};

static void make_frame(struct load *load)
{
	struct ether_header *head = (struct ether_header *)load->frame;

	memset(load->frame, 0x5a, sizeof(load->frame));
	memcpy(head->ether_shost, load->own, ETH_ALEN);
	memcpy(head->ether_dhost, load->own, ETH_ALEN);
	if (!load->back)
		head->ether_dhost[ETH_ALEN - 1] ^= 0xff;
	head->ether_type = htons(PROTOCOL);
}

static void send_batch(struct load *load)
{
	unsigned int i;

	for (i = 0; i < load->depth; i++) {
		if (send(load->sock, load->frame, load->size, 0) != (ssize_t)load->size)
			die("send: %s", strerror(errno));
	}
}

static void receive_batch(struct load *load)
{
	unsigned char frame[ETH_FRAME_LEN];
	unsigned int got;

	for (got = 0; got < load->depth; got++) {
		ssize_t size = recv(load->sock, frame, sizeof(frame), 0);

		if (size < 0)
			die("packet %u of %u did not come back: %s", got + 1, load->depth,
			    strerror(errno));
		if (size != (ssize_t)load->size || memcmp(frame, load->frame, size))
			die("a packet of %zd bytes came back, not the one of %zu that was sent",
			    size, load->size);
	}
}

/* Wait until the card has sent all packets, and the driver has unmapped them. */
static void drain(struct load *load)
{
	int queued = 1;

	while (queued) {
		if (ioctl(load->sock, SIOCOUTQ, &queued))
			die("SIOCOUTQ: %s", strerror(errno));
		if (queued)
			usleep(100);
	}
}

static void do_batch(struct load *load)
{
	send_batch(load);
	if (load->back)
		receive_batch(load);
	else
		drain(load);
}

static __u64 count(struct load *load)
{
	struct busy start;
	unsigned int done;

	do_batch(load);		/* warm */
	start = busy_read();
	for (done = 0; done < PACKETS; done += load->depth)
		do_batch(load);
	return busy_since(&start);
}

static void count_case(struct load *load, const char *name)
{
	__u64 busy[TIMES];
	int i;

	make_frame(load);
	for (i = 0; i < TIMES; i++)
		busy[i] = count(load);
	note("IO dev=%s op=%s order=sequence size=%zu depth=%u ios=%u busy=%llu,%llu,%llu",
	     name, load->back ? "echo" : "send", load->size, load->depth, PACKETS, busy[0],
	     busy[1], busy[2]);
}

static void count_sizes(struct load *load, const char *name)
{
	unsigned int i, k;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (k = 0; k < sizeof(depths) / sizeof(*depths); k++) {
			load->size = sizes[i];
			load->depth = depths[k];
			count_case(load, name);
		}
	}
}

static void open_card(struct load *load, const char *card)
{
	struct timeval silence = { .tv_sec = SILENCE_S };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(PROTOCOL) };
	socklen_t len = sizeof(at);
	int yes = 1;

	load->sock = socket(AF_PACKET, SOCK_RAW, 0);
	if (load->sock < 0)
		die("packet socket: %s", strerror(errno));
	at.sll_ifindex = if_nametoindex(card);
	if (!at.sll_ifindex || bind(load->sock, (struct sockaddr *)&at, sizeof(at)) ||
	    getsockname(load->sock, (struct sockaddr *)&at, &len))
		die("%s: %s", card, strerror(errno));
	memcpy(load->own, at.sll_addr, ETH_ALEN);
	setsockopt(load->sock, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	if (setsockopt(load->sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)))
		die("PACKET_IGNORE_OUTGOING: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct load load = { 0 };
	int i;

	if (argc != 3) {
		fprintf(stderr, "usage: netload NAME INTERFACE\n");
		return 2;
	}
	ktap_start("netload", 1);
	open_card(&load, argv[2]);
	busy_start();
	for (i = 0; i < 2; i++) {
		load.back = !i;		/* the echo first: it fails when nothing arrives */
		count_sizes(&load, argv[1]);
	}
	ktap_result(true, "counted");
	return ktap_end(0);
}
