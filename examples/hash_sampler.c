/* Passes one flow in 16, chosen by the receive hash, so that the flows that pass are complete. For
 * an analysis host behind a mirror port; frames without a hash (ARP, LLDP) all pass.
 */
#include <rxgate/phys_dev.h>

#define ONE_IN 16

SEC("phys_dev")
int hash_sampler(struct xdp_metadata *ctx)
{
	if (ctx->hash_type == HASH_TYPE_NONE)
		return BPF_PHYS_DEV_OK;
	return ctx->hash % ONE_IN == 0 ? BPF_PHYS_DEV_OK : BPF_PHYS_DEV_DROP;
}
