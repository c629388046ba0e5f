/* Guards a QUIC server (UDP port 443): long headers must have a version that is spoken here, short
 * connection identifiers, and Initial packets their 1200 bytes (RFC 9000, sections 14.1 and 17.2).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <rxgate/xdp.h>

#define QUIC_PORT bpf_htons(443)
#define QUIC_V1 0x00000001
#define QUIC_V2 0x6b3343cf
#define LONG_HEADER 0x80
#define FIXED_BIT 0x40
#define MAX_ID 20
#define MIN_INITIAL 1200

struct quic_long {
	__u8 flags;
	__be32 version;
	__u8 destination_size;
} __attribute__((packed));

SEC("xdp")
int xdp_quic_guard(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct quic_long *quic;
	struct udphdr *udp;
	__u32 version, type;
	__u8 *source_size;

	if ((void *)(ip + 1) > data_end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP || ip->ihl < 5)
		return XDP_PASS;
	udp = (void *)ip + ip->ihl * 4;
	quic = (void *)(udp + 1);
	if ((void *)quic + 1 > data_end)
		return XDP_DROP;
	if (udp->dest != QUIC_PORT)
		return XDP_PASS;
	if (!(quic->flags & FIXED_BIT))
		return XDP_DROP;
	if (!(quic->flags & LONG_HEADER))
		return XDP_PASS;
	if ((void *)(quic + 1) > data_end)
		return XDP_DROP;
	version = bpf_ntohl(quic->version);
	if (version != QUIC_V1 && version != QUIC_V2)
		return XDP_DROP;
	if (quic->destination_size > MAX_ID)
		return XDP_DROP;
	source_size = (void *)(quic + 1) + quic->destination_size;
	if ((void *)(source_size + 1) > data_end || *source_size > MAX_ID)
		return XDP_DROP;
	type = quic->flags >> 4 & 3;
	if (type == (version == QUIC_V2) && bpf_ntohs(udp->len) < sizeof(*udp) + MIN_INITIAL)
		return XDP_DROP;	/* Initial is type 0 in version 1, and 1 in version 2 */
	return XDP_PASS;
}
