/* A flow table of 32 rules over the twelve fields of OpenFlow 1.0: port, MAC addresses, EtherType,
 * VLAN and its priority, IP addresses, type of service, protocol, and transport ports (for ICMP: type
 * and code; for ARP its operation and addresses). Each rule masks the fields it looks at; the first
 * that matches decides, and without a match the packet is dropped.
 */
#include <linux/bpf.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <rxgate/xdp.h>

struct fields {	/* 5 words; all in the order of the packet, but in_port and priority */
	__u8 dl_dst[6];
	__u16 in_port;
	__u8 dl_src[6];
	__u16 dl_type;
	__u32 nw_src, nw_dst;
	__u16 dl_vlan;	/* 0xffff without a tag */
	__u16 tp_src, tp_dst;
	__u8 nw_proto, nw_tos;
	__u8 dl_pcp;
	__u8 pad[7];
};

#define WORDS (sizeof(struct fields) / 8)

union match {
	struct fields f;
	__u64 words[WORDS];
};

struct rule {
	union match value, mask;
	__u64 action;
};

#define MAC(...) { __VA_ARGS__ }
#define IP(a, b, c, d) bpf_htonl((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define NET(bits) bpf_htonl(0xffffffffu << (32 - (bits)))
#define EXACT_MAC MAC(255, 255, 255, 255, 255, 255)
#define VALUE(...) .value.f = { __VA_ARGS__ }
#define MASK(...) .mask.f = { __VA_ARGS__ }
#define V4 .dl_type = bpf_htons(ETH_P_IP)
#define TYPE .dl_type = 0xffff
#define TCP(port) V4, .nw_proto = IPPROTO_TCP, .tp_dst = bpf_htons(port)
#define UDP(port) V4, .nw_proto = IPPROTO_UDP, .tp_dst = bpf_htons(port)
#define PROTO TYPE, .nw_proto = 0xff
#define SERVICE PROTO, .tp_dst = 0xffff
#define FORWARD .action = XDP_PASS
#define DISCARD .action = XDP_DROP
#define HAIRPIN .action = XDP_TX
#define OUTPUT .action = XDP_REDIRECT

static const volatile struct rule rules[] = {
	/* What no host may send. */
	{ VALUE(.dl_src = MAC(1)), MASK(.dl_src = MAC(1)), DISCARD },
	{ VALUE(V4, .nw_src = IP(127, 0, 0, 0)), MASK(TYPE, .nw_src = NET(8)), DISCARD },
	{ VALUE(V4, .nw_src = IP(224, 0, 0, 0)), MASK(TYPE, .nw_src = NET(3)), DISCARD },
	/* Link protocols; ARP, where no even port may claim the gateway's address. */
	{ VALUE(.dl_dst = MAC(0x01, 0x80, 0xc2)),
	  MASK(.dl_dst = MAC(255, 255, 255, 255, 255, 0xf0)), FORWARD },
	{ VALUE(.dl_type = bpf_htons(ETH_P_ARP), .nw_proto = ARPOP_REPLY, .nw_src = IP(192, 0, 2, 1)),
	  MASK(TYPE, .nw_proto = 0xff, .nw_src = NET(32), .in_port = 1), DISCARD },
	{ VALUE(.dl_type = bpf_htons(ETH_P_ARP)), MASK(TYPE), FORWARD },
	{ VALUE(.dl_type = bpf_htons(ETH_P_IPV6)), MASK(TYPE), FORWARD },
	/* VLANs: quarantine, voice, guests. */
	{ VALUE(.dl_vlan = bpf_htons(666)), MASK(.dl_vlan = 0xffff), DISCARD },
	{ VALUE(.dl_vlan = bpf_htons(200), .dl_pcp = 5), MASK(.dl_vlan = 0xffff, .dl_pcp = 7), OUTPUT },
	{ VALUE(.dl_vlan = bpf_htons(200)), MASK(.dl_vlan = 0xffff), FORWARD },
	{ VALUE(.dl_vlan = bpf_htons(300), TCP(25)), MASK(.dl_vlan = 0xffff, SERVICE), DISCARD },
	{ VALUE(.dl_vlan = bpf_htons(300), V4, .nw_dst = IP(10, 0, 0, 0)),
	  MASK(.dl_vlan = 0xffff, TYPE, .nw_dst = NET(8)), DISCARD },
	/* One host that is known by its address on the link. */
	{ VALUE(.dl_src = MAC(2, 0, 0, 0, 0, 2), .in_port = 1, TCP(22)),
	  MASK(.dl_src = EXACT_MAC, .in_port = 0xffff, SERVICE), FORWARD },
	/* Services. */
	{ VALUE(TCP(22), .nw_src = IP(10, 1, 0, 0)), MASK(SERVICE, .nw_src = NET(16)), FORWARD },
	{ VALUE(TCP(22)), MASK(SERVICE), DISCARD },
	{ VALUE(TCP(23)), MASK(SERVICE), DISCARD },
	{ VALUE(TCP(80), .nw_dst = IP(198, 51, 100, 16)), MASK(SERVICE, .nw_dst = NET(28)), OUTPUT },
	{ VALUE(TCP(443), .nw_dst = IP(198, 51, 100, 16)), MASK(SERVICE, .nw_dst = NET(28)), OUTPUT },
	{ VALUE(TCP(80)), MASK(SERVICE), FORWARD },
	{ VALUE(TCP(443)), MASK(SERVICE), FORWARD },
	{ VALUE(TCP(179), .nw_tos = 0xc0), MASK(SERVICE, .nw_tos = 0xfc), FORWARD },
	{ VALUE(TCP(179)), MASK(SERVICE), DISCARD },
	{ VALUE(UDP(7)), MASK(SERVICE), HAIRPIN },
	{ VALUE(UDP(53), .nw_dst = IP(192, 0, 2, 53)), MASK(SERVICE, .nw_dst = NET(32)), OUTPUT },
	{ VALUE(UDP(53)), MASK(SERVICE), DISCARD },
	{ VALUE(UDP(0), .tp_src = bpf_htons(53)), MASK(PROTO, .tp_src = 0xffff), FORWARD },
	{ VALUE(UDP(0), .tp_src = bpf_htons(123), .nw_src = IP(192, 0, 2, 0)),
	  MASK(PROTO, .tp_src = 0xffff, .nw_src = NET(24)), FORWARD },
	{ VALUE(UDP(0x4000)), MASK(PROTO, .tp_dst = bpf_htons(0xc000)), OUTPUT },
	/* ICMP: echo and its answer. */
	{ VALUE(V4, .nw_proto = IPPROTO_ICMP, .tp_src = bpf_htons(8)),
	  MASK(PROTO, .tp_src = 0xffff, .tp_dst = 0xffff), FORWARD },
	{ VALUE(V4, .nw_proto = IPPROTO_ICMP), MASK(PROTO, .tp_src = 0xffff), FORWARD },
	/* Answers of connections that began inside. */
	{ VALUE(TCP(0x8000), .nw_dst = IP(198, 51, 100, 0)),
	  MASK(PROTO, .tp_dst = bpf_htons(0x8000), .nw_dst = NET(24)), FORWARD },
	{ VALUE(V4, .nw_proto = IPPROTO_GRE, .nw_tos = 0xb8), MASK(PROTO, .nw_tos = 0xfc), OUTPUT },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

_Static_assert(RULES == 32, "rules");
_Static_assert(sizeof(struct fields) == 40, "no holes");

struct arp_ip {
	struct arphdr head;
	__u8 sender[6];
	__u8 sender_ip[4];
	__u8 target[6];
	__u8 target_ip[4];
};

SEC("xdp")
int xdp_flow_table(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	union match key = { .f.in_port = ctx->ingress_ifindex, .f.dl_vlan = 0xffff };
	struct ethhdr *eth = data;
	void *network = eth + 1;

	if (network > data_end)
		return XDP_DROP;
	__builtin_memcpy(key.f.dl_dst, eth->h_dest, 6);
	__builtin_memcpy(key.f.dl_src, eth->h_source, 6);
	key.f.dl_type = eth->h_proto;
	if (key.f.dl_type == bpf_htons(ETH_P_8021Q)) {
		__u16 tci;

		if (network + 4 > data_end)
			return XDP_DROP;
		tci = bpf_ntohs(*(__be16 *)network);
		key.f.dl_vlan = bpf_htons(tci & 0xfff);
		key.f.dl_pcp = tci >> 13;
		key.f.dl_type = *(__be16 *)(network + 2);
		network += 4;
	}
	if (key.f.dl_type == bpf_htons(ETH_P_ARP)) {
		struct arp_ip *arp = network;

		if ((void *)(arp + 1) > data_end)
			return XDP_DROP;
		key.f.nw_proto = bpf_ntohs(arp->head.ar_op);
		__builtin_memcpy(&key.f.nw_src, arp->sender_ip, 4);
		__builtin_memcpy(&key.f.nw_dst, arp->target_ip, 4);
	} else if (key.f.dl_type == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = network;

		if ((void *)(ip + 1) > data_end)
			return XDP_DROP;
		key.f.nw_src = ip->saddr;
		key.f.nw_dst = ip->daddr;
		key.f.nw_proto = ip->protocol;
		key.f.nw_tos = ip->tos & 0xfc;
		if (!(ip->frag_off & bpf_htons(0x1fff))) {
			__u8 *transport = network + ip->ihl * 4;

			if (key.f.nw_proto == IPPROTO_TCP || key.f.nw_proto == IPPROTO_UDP) {
				if ((void *)(transport + 4) > data_end)
					return XDP_DROP;
				__builtin_memcpy(&key.f.tp_src, transport, 4);
			} else if (key.f.nw_proto == IPPROTO_ICMP) {
				if ((void *)(transport + 2) > data_end)
					return XDP_DROP;
				key.f.tp_src = bpf_htons(transport[0]);
				key.f.tp_dst = bpf_htons(transport[1]);
			}
		}
	}
	for (unsigned int i = 0; i < RULES; i++) {
		__u64 other = 0;

#pragma unroll
		for (unsigned int n = 0; n < WORDS; n++)
			other |= (key.words[n] ^ rules[i].value.words[n]) & rules[i].mask.words[n];
		if (!other)
			return rules[i].action;
	}
	return XDP_DROP;
}
