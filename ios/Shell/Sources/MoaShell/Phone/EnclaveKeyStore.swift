#if canImport(UIKit)
import CryptoKit
import Foundation
import LocalAuthentication
import Moa
import Security

/// The app's keys in the Secure Enclave: one that signs, and one that agrees on keys for sealing (ECIES with the same curve). What the
/// keychain keeps are the enclave's own blobs, for this phone only: no backup takes them along.
public final class EnclaveKeyStore: KeyStore, @unchecked Sendable {
    private let signing: SecureEnclave.P256.Signing.PrivateKey
    private let agreeing: SecureEnclave.P256.KeyAgreement.PrivateKey

    /// Made when first asked for.
    public init(_ name: String) throws {
        signing = try asked {
            if let blob = try kept("\(name).sign") { return try .init(dataRepresentation: blob) }
            let made = try SecureEnclave.P256.Signing.PrivateKey()
            try keep(made.dataRepresentation, "\(name).sign")
            return made
        }
        agreeing = try asked {
            if let blob = try kept("\(name).seal") { return try .init(dataRepresentation: blob) }
            let made = try SecureEnclave.P256.KeyAgreement.PrivateKey()
            try keep(made.dataRepresentation, "\(name).seal")
            return made
        }
    }

    public func publicKey() throws -> Data { signing.publicKey.x963Representation }

    public func signDigest(digest: Data) throws -> Data {
        try asked { try signing.signature(for: Given(bytes: [UInt8](digest))).rawRepresentation }
    }

    public func seal(plain: Data) throws -> Data {
        try asked {
            let once = P256.KeyAgreement.PrivateKey()
            let shared = try once.sharedSecretFromKeyAgreement(with: agreeing.publicKey)
            guard let sealed = try AES.GCM.seal(plain, using: key(of: shared)).combined else { throw CryptoKitError.incorrectParameterSize }
            return once.publicKey.x963Representation + sealed
        }
    }

    public func unseal(sealed: Data) throws -> Data {
        try asked {
            do {
                let once = try P256.KeyAgreement.PublicKey(x963Representation: sealed.prefix(65))
                let shared = try agreeing.sharedSecretFromKeyAgreement(with: once)
                return try AES.GCM.open(.init(combined: sealed.dropFirst(65)), using: key(of: shared))
            } catch let error as CryptoKitError {
                throw KeyStoreError.Gone(detail: "\(error)")
            }
        }
    }

    private func key(of shared: SharedSecret) -> SymmetricKey {
        shared.hkdfDerivedSymmetricKey(using: SHA256.self, salt: Data(), sharedInfo: Data("moa/seal".utf8), outputByteCount: 32)
    }
}

/// A digest that was made elsewhere.
private struct Given: Digest {
    static let byteCount = 32
    let bytes: [UInt8]

    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R { try bytes.withUnsafeBytes(body) }
    func makeIterator() -> Array<UInt8>.Iterator { bytes.makeIterator() }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
    static func == (one: Given, other: Given) -> Bool { one.bytes == other.bytes }
    var description: String { "\(bytes.count) bytes" }
}

private func asked<T>(_ ask: () throws -> T) throws -> T {
    do {
        return try ask()
    } catch let error as KeyStoreError {
        throw error
    } catch let error as LAError {
        throw KeyStoreError.Locked(detail: "\(error)")
    } catch {
        throw KeyStoreError.Failed(detail: "\(error)")
    }
}

private func item(_ name: String) -> [CFString: Any] {
    [kSecClass: kSecClassGenericPassword, kSecAttrService: "moa", kSecAttrAccount: name]
}

private func kept(_ name: String) throws -> Data? {
    var found: CFTypeRef?
    switch SecItemCopyMatching(item(name).merging([kSecReturnData: true]) { $1 } as CFDictionary, &found) {
    case errSecSuccess: return found as? Data
    case errSecItemNotFound: return nil
    case errSecInteractionNotAllowed: throw KeyStoreError.Locked(detail: "the keychain is locked")
    case let status: throw KeyStoreError.Failed(detail: "the keychain answered \(status)")
    }
}

private func keep(_ blob: Data, _ name: String) throws {
    let values: [CFString: Any] = [kSecValueData: blob, kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly]
    let status = SecItemAdd(item(name).merging(values) { $1 } as CFDictionary, nil)
    guard status == errSecSuccess else { throw KeyStoreError.Failed(detail: "the keychain answered \(status)") }
}
#endif
