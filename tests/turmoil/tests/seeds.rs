//! Twenty streets on a network and hosts that fail. `MOA_SEED` runs one alone, `MOA_SEEDS` more of them.

use std::sync::Mutex;
use std::time::Instant;

use moa_turmoil::street::Street;

const SEEDS: u64 = 20;

#[test]
fn twenty_streets_come_to_rest_and_lose_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let street = runtime.block_on(Street::open()).unwrap();
    let most = std::env::var("MOA_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number"));
    let mut seeds: Vec<u64> = (1..=most).collect();
    if let Ok(seed) = std::env::var("MOA_SEED") {
        seeds = vec![seed.parse().expect("MOA_SEED is a number")];
    }
    let failed = Mutex::new(Vec::new());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for half in seeds.chunks(seeds.len().div_ceil(2)) {
            let (street, failed) = (&street, &failed);
            scope.spawn(move || {
                for seed in half {
                    match street.run(*seed) {
                        Ok(report) => {
                            println!("{report:?}");
                            assert!(
                                report.faults > 10 && report.applied > 20,
                                "a street that barely lived proves little"
                            );
                        }
                        Err(error) => failed.lock().unwrap().push(format!("MOA_SEED={seed}: {error}")),
                    }
                }
            });
        }
    });
    println!("{} seeds, {:?}", seeds.len(), began.elapsed());
    assert_eq!(failed.into_inner().unwrap(), Vec::<String>::new());
}

#[test]
fn a_server_that_forgets_what_it_acknowledged_is_noticed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let street = runtime.block_on(Street::open()).unwrap();
    let noticed = street.run_forgetful(1).unwrap_err();
    println!("{noticed}");
    assert!(
        noticed.to_string().contains("forgotten"),
        "the phones send again what they were told was kept: {noticed}"
    );
}
