/*
 * half.h
 *		IEEE 754 binary16, in which halfvec has its numbers: to and from float.
 */
#ifndef PINECONE_HALF_H
#define PINECONE_HALF_H

#define PINECONE_HALF_INFINITY 0x7C00 /* the sign aside */

/* Every half is a float. */
static inline float
pinecone_half_to_float(uint16 half)
{
	union
	{
		uint32 bits;
		float value;
	} result;
	uint32 sign = (uint32) (half & 0x8000) << 16;
	uint32 exponent = (half >> 10) & 0x1F;
	uint32 mantissa = half & 0x3FF;

	if (exponent == 0x1F)
		result.bits = sign | 0x7F800000 | (mantissa << 13);
	else if (exponent != 0)
		result.bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
	else
	{
		/* zero or subnormal: a multiple of 2^-24 */
		result.value = (float) mantissa * 0x1p-24f;
		result.bits |= sign;
	}
	return result.value;
}

/* The nearest half, of two the even one; beyond 65504 that may be infinity. */
static inline uint16
pinecone_half_from_float(float value)
{
	union
	{
		float value;
		uint32 bits;
	} from = {value};
	uint16 sign = (from.bits >> 16) & 0x8000;
	uint32 size = from.bits & 0x7FFFFFFF;
	uint32 half;

	if (size > 0x7F800000)
		return sign | PINECONE_HALF_INFINITY | 0x200;
	if (size >= 0x477FF000) /* 65520 */
		return sign | PINECONE_HALF_INFINITY;
	if (size < 0x38800000) /* 2^-14: below are subnormals */
	{
		from.bits = size;
		/* such sums have 2^-24 for their last bit */
		from.value += 0.5f;
		return sign | (uint16) (from.bits - 0x3F000000);
	}
	half = (size - 0x38000000) >> 13;
	if ((size & 0x1FFF) > 0x1000 || ((size & 0x1FFF) == 0x1000 && (half & 1)))
		half++;
	return sign | (uint16) half;
}

#endif /* PINECONE_HALF_H */
