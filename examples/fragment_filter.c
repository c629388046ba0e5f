/* Drops IPv4 fragments of every size, first and later ones, and IPv6 packets with a Fragment header,
 * first or behind up to two extension headers. For DNS and VPN servers whose peers never fragment.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <rxgate/phys_dev.h>

#define MORE_FRAGMENTS_OR_OFFSET 0x3fff
#define LONGEST_EXTENSION 3	/* in units of 8 bytes, after the first 8 */

static __always_inline int is_extension(__u32 next_header)
{
	return next_header == IPPROTO_HOPOPTS || next_header == IPPROTO_ROUTING ||
	       next_header == IPPROTO_DSTOPTS;
}

static __always_inline int ipv6(struct xdp_metadata *ctx)
{
	__u32 next = load_byte(ctx, 20);
	__u64 length;

	if (!is_extension(next))
		return next != IPPROTO_FRAGMENT;
	next = load_byte(ctx, 54);
	if (!is_extension(next))
		return next != IPPROTO_FRAGMENT;
	length = load_byte(ctx, 55);
	if (length > LONGEST_EXTENSION)
		return BPF_PHYS_DEV_DROP;
	return load_byte(ctx, 54 + 8 + length * 8) != IPPROTO_FRAGMENT;
}

SEC("phys_dev")
int fragment_filter(struct xdp_metadata *ctx)
{
	switch (load_half(ctx, 12)) {
	case ETH_P_IP:
		if (load_half(ctx, 20) & MORE_FRAGMENTS_OR_OFFSET)
			return BPF_PHYS_DEV_DROP;
		return BPF_PHYS_DEV_OK;
	case ETH_P_IPV6:
		return ipv6(ctx);
	default:
		return BPF_PHYS_DEV_OK;
	}
}
