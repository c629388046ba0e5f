#include <linux/bpf.h>
#include <rxgate/xdp.h>

struct sums {
	__u8 *byte, *end;
	__u32 sum;
};

static long each(__u32 i, void *ctx)
{
	struct sums *s = ctx;

	if (i > 40 || s->byte + i + 1 > s->end)
		return 1;
	s->sum += s->byte[i] ^ i;
	return 0;
}

SEC("xdp/loop") int called_back(struct xdp_md *ctx)
{
	struct sums s = {(void *)(long)ctx->data, (void *)(long)ctx->data_end, 0};
	long n = bpf_loop(50, each, &s, 0);

	return (s.sum + n) & 3;
}

SEC("xdp/number") int numbers(struct xdp_md *ctx)
{
	__u8 *b = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 sum = 0, i, n = 0;

	if (b + 14 > end)
		return XDP_ABORTED;
	bpf_for (i, b[12] & 3, b[13] & 15) {
		n++;
		if (i > 20 || b + i + 1 > end)
			break;
		sum = sum * 3 + b[i];
	}
	return (sum + n) & 3;
}

SEC("xdp/repeat") int repeated(struct xdp_md *ctx)
{
	__u8 *b = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 at = 1;

	bpf_repeat (5) {
		__u8 *p = b + (at & 15);

		if (p + 1 > end || *p == 0)
			break;
		at = *p;
	}
	return at & 3;
}
