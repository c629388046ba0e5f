/* Drops NTP control and private messages (modes 6 and 7, as in "monlist" reflection) over IPv4. For
 * networks with old NTP servers; shows a header copied to the stack and indexed by its own length.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define NTP 123
struct headers {
	__u8 version_length, tos;
	__u16 total, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 source, destination;
	__u8 rest[60];
};

SEC("phys_dev")
int stack_parse(struct xdp_metadata *ctx)
{
	struct headers h = {};
	const __u8 *bytes = (const __u8 *)&h;
	__u32 copied, udp, port;

	if (load_half(ctx, 12) != ETH_P_IP)
		return BPF_PHYS_DEV_OK;
	/* With the longest IPv4 header; the shortest padded frame; one without options or padding. */
	if (!bpf_skb_load_bytes(ctx, 14, &h, 60 + 9))
		copied = 60 + 9;
	else if (!bpf_skb_load_bytes(ctx, 14, &h, 46))
		copied = 46;
	else if (!bpf_skb_load_bytes(ctx, 14, &h, 20 + 9))
		copied = 20 + 9;
	else
		return BPF_PHYS_DEV_OK;	/* too short for NTP */
	if (h.protocol != IPPROTO_UDP || (h.fragment & bpf_htons(0x1fff)))
		return BPF_PHYS_DEV_OK;
	udp = (h.version_length & 0xf) * 4;
	if (udp < 20 || udp + 9 > copied)
		return BPF_PHYS_DEV_DROP;
	port = bytes[udp + 2] << 8 | bytes[udp + 3];
	return port != NTP || (bytes[udp + 8] & 7) < 6;
}
