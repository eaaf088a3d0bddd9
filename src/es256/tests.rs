use num_bigint::BigUint;
use proptest::prelude::*;

use crate::es256::field::{Element, P};
use crate::es256::inversion::{self, Modulus};
use crate::es256::point::Affine;
use crate::es256::scalar::{Multiplier, N, Scalar};
use crate::es256::word::Words;

fn big(words: &Words) -> BigUint {
    words.iter().rev().fold(BigUint::default(), |number, word| (number << 64) + *word)
}

fn element(number: &Words) -> Element {
    Element::from_number(&words(&(big(number) % big(&P)))).unwrap()
}

fn scalar(number: &Words) -> Scalar {
    Scalar::reduced(&words(&(big(number) % big(&N))))
}

fn words(number: &BigUint) -> Words {
    let digits = number.to_u64_digits();
    std::array::from_fn(|index| digits.get(index).copied().unwrap_or(0))
}

/// Words of all kinds: random ones, and ones where carries run far.
fn any_words() -> impl Strategy<Value = Words> {
    let word = prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), Just(1), Just(u64::MAX << 32), Just(u64::MAX >> 32)];
    let near = |modulus: Words| (0_u64..3).prop_map(move |less| words(&(big(&modulus) - less)));
    prop_oneof![4 => [word.clone(), word.clone(), word.clone(), word], 1 => near(P), 1 => near(N)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_field_computes_as_big_integers_modulo_p_do(a in any_words(), b in any_words()) {
        let p = big(&P);
        let (x, y) = (element(&a), element(&b));
        prop_assert_eq!(big(&(x + y).to_number()), (big(&a) + big(&b)) % &p);
        prop_assert_eq!(big(&(x - y).to_number()), (big(&a) % &p + &p - big(&b) % &p) % &p);
        prop_assert_eq!(big(&(-x).to_number()), (&p - big(&a) % &p) % &p);
        prop_assert_eq!(big(&(x * y).to_number()), big(&a) * big(&b) % &p);
        prop_assert_eq!(big(&x.square().to_number()), big(&a) * big(&a) % &p);
        prop_assert_eq!(big(&x.triple().to_number()), big(&a) * 3_u32 % &p);
        prop_assert_eq!(x == y, big(&a) % &p == big(&b) % &p);
        prop_assert_eq!(Element::from_number(&a).is_some(), big(&a) < p);
    }

    #[test]
    fn scalars_compute_as_big_integers_modulo_n_do(a in any_words(), b in any_words()) {
        let n = big(&N);
        let (x, y) = (scalar(&a), scalar(&b));
        prop_assert_eq!(big((x * y.to_multiplier()).number()), big(&a) * big(&b) % &n);
        prop_assert_eq!(big(Scalar::reduced(&a).number()), big(&a) % &n);
        prop_assert_eq!(Scalar::in_range(&a).is_some(), big(&a) < n && big(&a) > BigUint::default());
        let (size, negative) = x.signed();
        prop_assert!(big(&size) <= &n >> 1);
        prop_assert_eq!(if negative { &n - big(&size) } else { big(&size) }, big(x.number()));
        let second = big(x.number()) + &n;
        prop_assert_eq!(x.second_number().map(|number| big(&number)), (second < big(&P)).then_some(second));
    }

    #[test]
    fn an_inverse_times_its_number_is_one(a in any_words()) {
        for prime in [P, N] {
            let number = words(&(big(&a) % big(&prime)));
            let inverse = big(&inversion::invert(&number, &Modulus::new(prime)));
            prop_assert!(inverse < big(&prime));
            let expected = if number == [0; 4] { 0_u32 } else { 1 };
            prop_assert_eq!(inverse * big(&number) % big(&prime), BigUint::from(expected));
        }
        let x = element(&a);
        prop_assert_eq!(x * x.invert(), if x.is_zero() { Element::ZERO } else { Element::ONE });
    }
}

#[test]
fn inverting_many_at_once_inverts_each() {
    let numbers: Vec<Words> = (1..=9).map(|number| [number, number << 40, 0, number]).collect();
    let mut elements: Vec<Element> = numbers.iter().map(element).collect();
    Element::invert_all(&mut elements, &mut Vec::new());
    let mut multipliers: Vec<Multiplier> = numbers.iter().map(|number| scalar(number).to_multiplier()).collect();
    Multiplier::invert_all(&mut multipliers);
    for (number, (inverse, multiplier)) in numbers.iter().zip(elements.into_iter().zip(multipliers)) {
        assert_eq!(element(number) * inverse, Element::ONE);
        assert_eq!((scalar(number) * multiplier).number(), &[1, 0, 0, 0]);
    }
}

/// FIPS 186-4 D.1.2.3.
#[test]
fn the_generator_is_on_the_curve() {
    let generator = Affine::generator();
    assert_eq!(Affine::new(&generator.x.to_number(), &generator.y.to_number()), Some(generator));
}
