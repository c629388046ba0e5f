/* Passes GRE only when it carries IPv4 with TCP inside, whatever optional fields its header has;
 * everything that is not GRE passes. For the far end of a DDoS scrubbing service.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define FRAGMENT_OFFSET 0x1fff
#define HAS_CHECKSUM 0x8000
#define HAS_ROUTING 0x4000
#define HAS_KEY 0x2000
#define HAS_SEQUENCE 0x1000
#define VERSION 0x0007

SEC("phys_dev")
int gre_inner(struct xdp_metadata *ctx)
{
	__u32 header, flags, gre, inner;

	if (load_half(ctx, 12) != ETH_P_IP || load_byte(ctx, 23) != IPPROTO_GRE)
		return BPF_PHYS_DEV_OK;
	header = (load_byte(ctx, 14) & 0xf) * 4;
	if (header < 20 || (load_half(ctx, 20) & FRAGMENT_OFFSET))
		return BPF_PHYS_DEV_DROP;
	gre = 14 + header;
	flags = load_half(ctx, gre);
	if ((flags & (HAS_ROUTING | VERSION)) || load_half(ctx, gre + 2) != ETH_P_IP)
		return BPF_PHYS_DEV_DROP;
	inner = gre + 4;
	if (flags & HAS_CHECKSUM)
		inner += 4;
	if (flags & HAS_KEY)
		inner += 4;
	if (flags & HAS_SEQUENCE)
		inner += 4;
	return load_byte(ctx, inner + 9) == IPPROTO_TCP;
}
