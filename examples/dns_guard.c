/* Drops DNS answers over IPv4 that are longer than a sane resolver lets them be, and their fragments.
 * For hosts that are the target of DNS amplification; their own look-ups keep working.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFFSET 0x1fff
#define DNS 53
#define IS_ANSWER 0x80
#define LONGEST (8 + 1232)	/* UDP header and the EDNS size that DNS Flag Day 2020 set */

SEC("phys_dev")
int dns_guard(struct xdp_metadata *ctx)
{
	__u32 header, fragment, udp;

	if (load_half(ctx, 12) != ETH_P_IP || load_byte(ctx, 23) != IPPROTO_UDP)
		return BPF_PHYS_DEV_OK;
	header = (load_byte(ctx, 14) & 0xf) * 4;
	if (header < 20)
		return BPF_PHYS_DEV_DROP;
	fragment = load_half(ctx, 20);
	if (fragment & FRAGMENT_OFFSET)
		return BPF_PHYS_DEV_DROP;	/* tail of an answer that was too long */
	udp = 14 + header;
	if (load_half(ctx, udp) != DNS)
		return BPF_PHYS_DEV_OK;
	if (fragment & MORE_FRAGMENTS)
		return BPF_PHYS_DEV_DROP;
	if (!(load_byte(ctx, udp + 8 + 2) & IS_ANSWER))
		return BPF_PHYS_DEV_OK;
	/* The length field may lie, the frame cannot. */
	return load_half(ctx, udp + 4) <= LONGEST && ctx->len <= udp + LONGEST;
}
