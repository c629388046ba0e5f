/* Drops UDP packets over IPv4 whose checksum is wrong, by the sum that the receive descriptor has
 * of the whole packet. For receivers that bypass the kernel's stack and check nothing themselves.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define MORE_FRAGMENTS_OR_OFFSET 0x3fff

SEC("phys_dev")
int checksum_guard(struct xdp_metadata *ctx)
{
	__u32 sum;

	if (load_half(ctx, 12) != ETH_P_IP || load_byte(ctx, 23) != IPPROTO_UDP)
		return BPF_PHYS_DEV_OK;
	if (load_byte(ctx, 14) != 0x45)
		return BPF_PHYS_DEV_DROP;	/* options, or no IPv4 at all */
	if (load_half(ctx, 20) & MORE_FRAGMENTS_OR_OFFSET)
		return BPF_PHYS_DEV_OK;
	if (load_half(ctx, 40) == 0)
		return BPF_PHYS_DEV_OK;	/* the sender made none */

	/* A correct IPv4 header adds nothing to the sum; padding is zero. Add the pseudo-header. */
	sum = ctx->csum;
	sum += load_half(ctx, 26) + load_half(ctx, 28);
	sum += load_half(ctx, 30) + load_half(ctx, 32);
	sum += IPPROTO_UDP + load_half(ctx, 38);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}
