/* Passes what arrives in the first 2^17 ns of every 2^20 ns (an eighth of the time), and network
 * control at any time. For measuring bursts with a capture host that cannot take the full rate.
 */
#include <rxgate/phys_dev.h>

#define PERIOD_BITS 20
#define OPEN_BITS 17
#define PRIORITY_SHIFT 13
#define NETWORK_CONTROL 6

SEC("phys_dev")
int time_window(struct xdp_metadata *ctx)
{
	if (ctx->vlan_proto && ctx->vlan_tci >> PRIORITY_SHIFT >= NETWORK_CONTROL)
		return BPF_PHYS_DEV_OK;
	return (bpf_ktime_get_ns() & ((1 << PERIOD_BITS) - 1)) >> OPEN_BITS == 0;
}
