/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What XDP programs use besides the kernel's own headers, of which <linux/bpf.h> comes first. With
 * libbpf's bpf_helpers.h and bpf_endian.h, include those before, or instead.
 */
#ifndef RXGATE_XDP_H
#define RXGATE_XDP_H

#ifndef SEC
#define SEC(name) __attribute__((section(name), used))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Helpers. bpf_xdp_get_buff_len() is the length of the frame in bytes. */
#ifndef __BPF_HELPERS__
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u32 (*const bpf_get_prandom_u32)(void) = (void *)BPF_FUNC_get_prandom_u32;
static __u32 (*const bpf_get_smp_processor_id)(void) = (void *)BPF_FUNC_get_smp_processor_id;
static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *ctx) = (void *)BPF_FUNC_xdp_get_buff_len;
#endif

#ifndef bpf_ntohs
#define bpf_ntohs(x) __builtin_bswap16(x)
#define bpf_htons(x) __builtin_bswap16(x)
#define bpf_ntohl(x) __builtin_bswap32(x)
#define bpf_htonl(x) __builtin_bswap32(x)
#endif

#endif
