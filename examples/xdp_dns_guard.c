/* Guards a DNS client against amplification: drops answers longer than an EDNS buffer of 1232
 * bytes, fragments of UDP, answers that nobody can have asked for, and malformed questions.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <rxgate/xdp.h>

#define DNS_PORT bpf_htons(53)
#define MAX_ANSWER 1232
#define MORE_OR_OFFSET 0x3fff

struct dnshdr {
	__be16 id;
	__u8 qr_opcode;	/* 1 bit answer, 4 bits opcode, aa, tc, rd */
	__u8 ra_rcode;
	__be16 questions;
	__be16 answers;
	__be16 authorities;
	__be16 additionals;
};

SEC("xdp")
int xdp_dns_guard(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp;
	struct dnshdr *dns;

	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	if (ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	if (ip->ihl < 5 || (ip->frag_off & bpf_htons(MORE_OR_OFFSET)))
		return XDP_DROP;
	udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > data_end)
		return XDP_DROP;
	if (udp->source != DNS_PORT && udp->dest != DNS_PORT)
		return XDP_PASS;
	dns = (void *)(udp + 1);
	if ((void *)(dns + 1) > data_end)
		return XDP_DROP;
	if (dns->questions != bpf_htons(1))
		return XDP_DROP;
	if (udp->source == DNS_PORT) {
		int answer = dns->qr_opcode >> 7;

		return answer && bpf_ntohs(udp->len) - sizeof(*udp) <= MAX_ANSWER ? XDP_PASS : XDP_DROP;
	}
	/* A question: a standard query without answers. */
	return dns->qr_opcode & 0xf8 || dns->answers ? XDP_DROP : XDP_PASS;
}
