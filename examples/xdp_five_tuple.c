/* A firewall of 12 rules over interface, VLAN, addresses, protocol and ports; the first that matches
 * decides, and without a match the packet passes. The rules lie in read-only data.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <rxgate/xdp.h>

struct rule {
	__u32 source, source_mask;	/* network order, as all of it */
	__u32 destination, destination_mask;
	__u16 source_port, source_port_mask;
	__u16 destination_port, destination_port_mask;
	__u16 vlan, vlan_mask;
	__u8 protocol, protocol_mask;
	__u8 interface, interface_mask;
	__u32 action;
};

#define IP(a, b, c, d) bpf_htonl((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define NET(bits) bpf_htonl(0xffffffffu << (32 - (bits)))
#define FROM(a, b, c, d, bits) .source = IP(a, b, c, d), .source_mask = NET(bits)
#define TO(a, b, c, d, bits) .destination = IP(a, b, c, d), .destination_mask = NET(bits)
#define PROTOCOL(n) .protocol = (n), .protocol_mask = 0xff
#define PORT(n) .destination_port = bpf_htons(n), .destination_port_mask = 0xffff
#define LOW_PORT .destination_port_mask = bpf_htons(0xfc00)
#define FROM_PORT(n) .source_port = bpf_htons(n), .source_port_mask = 0xffff
#define ON_VLAN(n) .vlan = bpf_htons(n), .vlan_mask = bpf_htons(0xfff)
#define ON_INTERFACE(n) .interface = (n), .interface_mask = 0xff

static const volatile struct rule rules[] = {
	{ FROM(127, 0, 0, 0, 8), .action = XDP_DROP },
	{ ON_INTERFACE(1), ON_VLAN(10), .action = XDP_PASS },
	{ FROM(10, 0, 0, 0, 8), TO(10, 0, 0, 0, 8), .action = XDP_PASS },
	{ FROM(192, 168, 0, 0, 16), PROTOCOL(IPPROTO_TCP), PORT(22), .action = XDP_PASS },
	{ PROTOCOL(IPPROTO_TCP), PORT(22), .action = XDP_DROP },
	{ PROTOCOL(IPPROTO_TCP), PORT(443), .action = XDP_PASS },
	{ PROTOCOL(IPPROTO_UDP), PORT(53), TO(192, 0, 2, 53, 32), .action = XDP_PASS },
	{ PROTOCOL(IPPROTO_UDP), FROM_PORT(53), .action = XDP_PASS },
	{ PROTOCOL(IPPROTO_UDP), PORT(7), .action = XDP_TX },
	{ PROTOCOL(IPPROTO_UDP), LOW_PORT, .action = XDP_DROP },
	{ PROTOCOL(IPPROTO_TCP), LOW_PORT, .action = XDP_DROP },
	{ ON_VLAN(666), .action = XDP_DROP },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

struct key {
	__u32 source, destination;
	__u16 source_port, destination_port, vlan;
	__u8 protocol, interface;
};

static __always_inline int matches(const volatile struct rule *r, const struct key *k)
{
	__u32 other;

	/* All at once: hardware has no use for stopping early. */
	other = ((k->source ^ r->source) & r->source_mask) |
		((k->destination ^ r->destination) & r->destination_mask) |
		((k->source_port ^ r->source_port) & r->source_port_mask) |
		((k->destination_port ^ r->destination_port) & r->destination_port_mask) |
		((k->vlan ^ r->vlan) & r->vlan_mask) |
		((k->protocol ^ r->protocol) & r->protocol_mask) |
		((k->interface ^ r->interface) & r->interface_mask);
	return !other;
}

SEC("xdp")
int xdp_five_tuple(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct key key = { .interface = ctx->ingress_ifindex };
	void *network = eth + 1;
	struct iphdr *ip;
	__be16 kind;

	if (network > data_end)
		return XDP_DROP;
	kind = eth->h_proto;
	if (kind == bpf_htons(ETH_P_8021Q)) {
		if (network + 4 > data_end)
			return XDP_DROP;
		key.vlan = *(__be16 *)network;
		kind = *(__be16 *)(network + 2);
		network += 4;
	}
	if (kind != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = network;
	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	__builtin_memcpy(&key.source, &ip->saddr, 8);
	key.protocol = ip->protocol;
	if (key.protocol == IPPROTO_TCP || key.protocol == IPPROTO_UDP) {
		void *ports = network + ip->ihl * 4;

		if (ports + 4 > data_end)
			return XDP_DROP;
		__builtin_memcpy(&key.source_port, ports, 4);
	}
#pragma unroll
	for (unsigned int i = 0; i < RULES; i++) {
		if (matches(&rules[i], &key))
			return rules[i].action;
	}
	return XDP_PASS;
}
