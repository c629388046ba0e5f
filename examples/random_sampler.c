/* Passes one packet in 100, at random. For packet sampling as in sFlow, where an even interval would
 * fall into step with periodic traffic.
 */
#include <rxgate/phys_dev.h>

#define ONE_IN 100

SEC("phys_dev")
int random_sampler(struct xdp_metadata *ctx)
{
	return bpf_get_prandom_u32() % ONE_IN == 0;
}
