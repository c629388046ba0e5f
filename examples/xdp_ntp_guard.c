/* Drops what NTP amplification attacks are made of, control and private messages (modes 6 and 7)
 * and UDP packets from port 123 that are no time packet, over IPv4 and IPv6.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <rxgate/xdp.h>

#define NTP_PORT bpf_htons(123)
#define TIME_PACKET 48
#define MAC_SIZE 20	/* key identifier and digest */

SEC("xdp")
int xdp_ntp_guard(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	void *cursor = (void *)(long)ctx->data;
	struct udphdr *udp;
	__u8 *ntp, protocol;
	__u16 kind, size;

	if (end < cursor + ETH_HLEN)
		return XDP_DROP;
	kind = bpf_ntohs(((struct ethhdr *)cursor)->h_proto);
	cursor += ETH_HLEN;
	if (kind == ETH_P_IP) {
		struct iphdr *ip = cursor;

		if (end < cursor + sizeof(*ip))
			return XDP_DROP;
		protocol = ip->protocol;
		cursor += ip->ihl * 4;
	} else if (kind == ETH_P_IPV6) {
		struct ipv6hdr *ip6 = cursor;

		if (end < cursor + sizeof(*ip6))
			return XDP_DROP;
		protocol = ip6->nexthdr;
		cursor += sizeof(*ip6);
	} else {
		return XDP_PASS;
	}
	if (protocol != IPPROTO_UDP)
		return XDP_PASS;
	/* Both ways meet here, with the pointer at one of many places. */
	udp = cursor;
	ntp = cursor + sizeof(*udp);
	if ((void *)(ntp + 1) > end)
		return XDP_DROP;
	if (udp->dest != NTP_PORT && udp->source != NTP_PORT)
		return XDP_PASS;
	if ((*ntp & 7) > 5)
		return XDP_DROP;
	size = bpf_ntohs(udp->len) - sizeof(*udp);
	if (udp->source == NTP_PORT && size != TIME_PACKET && size != TIME_PACKET + MAC_SIZE)
		return XDP_DROP;
	return XDP_PASS;
}
