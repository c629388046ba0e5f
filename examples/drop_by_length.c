/* Drops frames longer than a full-size Ethernet frame with one VLAN tag. For the edge of a network
 * whose hosts use an MTU of 1500, where a jumbo frame is a misconfiguration or an attack.
 */
#include <rxgate/phys_dev.h>

#define LONGEST (14 + 4 + 1500)

SEC("phys_dev")
int drop_by_length(struct xdp_metadata *ctx)
{
	return ctx->len > LONGEST ? BPF_PHYS_DEV_DROP : BPF_PHYS_DEV_OK;
}
