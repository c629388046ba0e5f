/* Passes only the VLANs that a server takes part in; untagged, priority-tagged and double-tagged
 * frames are dropped. For hypervisors on a trunk port that carries more VLANs than they need.
 */
#include <linux/if_ether.h>
#include <rxgate/phys_dev.h>

#define VID_MASK 0xfff

SEC("phys_dev")
int vlan_allow(struct xdp_metadata *ctx)
{
	if (ctx->vlan_proto != ETH_P_8021Q)
		return BPF_PHYS_DEV_DROP;
	switch (ctx->vlan_tci & VID_MASK) {
	case 10:	/* management */
	case 42:	/* storage */
	case 100 ... 115:	/* tenants */
	case 1001:	/* backup */
	case 4000:	/* telephony */
		return BPF_PHYS_DEV_OK;
	default:
		return BPF_PHYS_DEV_DROP;
	}
}
