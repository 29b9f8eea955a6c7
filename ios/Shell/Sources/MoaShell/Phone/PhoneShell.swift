#if canImport(UIKit)
import ContactsUI
import Foundation
import MessageUI
import Moa
import PhotosUI
import UIKit

/// iOS's own ways: its pickers, composers and sheet, and other apps' URLs. None of them asks for a permission.
@MainActor
public final class PhoneShell: Shell {
    private let top: () -> UIViewController?

    /// What waits for a picker or composer that is shown: it knows its delegate weakly.
    private var delegate: NSObject?

    /// - Parameter top: what is shown on the screen, to show something over.
    public init(top: @escaping () -> UIViewController?) {
        self.top = top
    }

    public func pickContact() async -> PickedContact? {
        await shown { answer in
            let picker = CNContactPickerViewController()
            picker.displayedPropertyKeys = [CNContactPhoneNumbersKey, CNContactEmailAddressesKey]
            // A tap on someone shows their numbers and addresses; one of those is picked.
            picker.predicateForSelectionOfContact = NSPredicate(value: false)
            let picks = ContactPicks(answer)
            picker.delegate = picks
            return (picker, picks)
        }
    }

    public func pickPicture() async -> Data? {
        let picked: NSItemProvider? = await shown { answer in
            var wanted = PHPickerConfiguration()
            wanted.filter = .images
            let picker = PHPickerViewController(configuration: wanted)
            let picks = PicturePicks(answer)
            picker.delegate = picks
            return (picker, picks)
        }
        guard let picked, picked.canLoadObject(ofClass: UIImage.self) else { return nil }
        return await withCheckedContinuation { answer in
            _ = picked.loadObject(ofClass: UIImage.self) { image, _ in
                answer.resume(returning: (image as? UIImage).flatMap(jpeg))
            }
        }
    }

    public func openUrl(_ url: String) async -> Opened {
        guard let url = URL(string: url) else { return .notThere }
        return await UIApplication.shared.open(url) ? .went : .notThere
    }

    public func composeSms(to: String?, body: String, url: String) async -> Opened {
        guard MFMessageComposeViewController.canSendText() else { return await openUrl(url) }
        return await shown { answer in
            let composer = MFMessageComposeViewController()
            composer.recipients = to.map { [$0] }
            composer.body = body
            let ends = MessageEnds(answer)
            composer.messageComposeDelegate = ends
            return (composer, ends)
        } ?? .notThere
    }

    public func composeMail(to: String?, subject: String, body: String, url: String) async -> Opened {
        guard MFMailComposeViewController.canSendMail() else { return await openUrl(url) }
        return await shown { answer in
            let composer = MFMailComposeViewController()
            composer.setToRecipients(to.map { [$0] })
            composer.setSubject(subject)
            composer.setMessageBody(body, isHTML: false)
            let ends = MailEnds(answer)
            composer.mailComposeDelegate = ends
            return (composer, ends)
        } ?? .notThere
    }

    /// KakaoTalk takes a card by Kakao's SDK alone, which is not here: the sheet has KakaoTalk in it.
    public func shareInKakaoTalk(_ feed: Feed) async -> Opened { .notThere }

    public func showSheet(title: String, text: String) async -> Channel? {
        guard let top = top() else { return nil }
        return await withCheckedContinuation { answer in
            let sheet = UIActivityViewController(activityItems: [text], applicationActivities: nil)
            sheet.setValue(title, forKey: "subject") // Mails take it.
            sheet.completionWithItemsHandler = { type, done, _, _ in
                answer.resume(returning: done ? type.map { channel(ofActivity: $0.rawValue) } ?? .sheet : nil)
            }
            // On an iPad it points at something.
            sheet.popoverPresentationController?.sourceView = top.view
            sheet.popoverPresentationController?.sourceRect = CGRect(x: top.view.bounds.midX, y: top.view.bounds.maxY, width: 0, height: 0)
            top.present(sheet, animated: true)
        }
    }

    public func copy(_ text: String) {
        UIPasteboard.general.string = text
    }

    /// Shows what answers by a delegate, until it has.
    private func shown<T>(_ make: (@escaping @MainActor (T?) -> Void) -> (UIViewController, NSObject)) async -> T? {
        guard let top = top() else { return nil }
        return await withCheckedContinuation { answer in
            let (picker, delegate) = make { [weak self] picked in
                self?.delegate = nil
                answer.resume(returning: picked)
            }
            self.delegate = delegate
            top.present(picker, animated: true)
        }
    }
}

/// Not larger than the server keeps it, and without where it was taken.
private func jpeg(_ image: UIImage) -> Data? {
    let kept = 1_200.0
    let scale = min(1, kept / max(image.size.width, image.size.height))
    let size = CGSize(width: image.size.width * scale, height: image.size.height * scale)
    let format = UIGraphicsImageRendererFormat()
    format.scale = 1
    return UIGraphicsImageRenderer(size: size, format: format).jpegData(withCompressionQuality: 0.9) { _ in
        image.draw(in: CGRect(origin: .zero, size: size))
    }
}

@MainActor
private final class ContactPicks: NSObject, CNContactPickerDelegate {
    private let answer: @MainActor (PickedContact?) -> Void

    init(_ answer: @escaping @MainActor (PickedContact?) -> Void) { self.answer = answer }

    func contactPicker(_ picker: CNContactPickerViewController, didSelect property: CNContactProperty) {
        let to = (property.value as? CNPhoneNumber)?.stringValue ?? property.value as? String
        let name = CNContactFormatter.string(from: property.contact, style: .fullName)
        answer(to.map { PickedContact(name: name ?? $0, to: $0) })
    }

    func contactPickerDidCancel(_ picker: CNContactPickerViewController) { answer(nil) }
}

@MainActor
private final class PicturePicks: NSObject, PHPickerViewControllerDelegate {
    private let answer: @MainActor (NSItemProvider?) -> Void

    init(_ answer: @escaping @MainActor (NSItemProvider?) -> Void) { self.answer = answer }

    func picker(_ picker: PHPickerViewController, didFinishPicking results: [PHPickerResult]) {
        picker.dismiss(animated: true)
        answer(results.first?.itemProvider)
    }
}

@MainActor
private final class MessageEnds: NSObject, MFMessageComposeViewControllerDelegate {
    private let answer: @MainActor (Opened?) -> Void

    init(_ answer: @escaping @MainActor (Opened?) -> Void) { self.answer = answer }

    func messageComposeViewController(_ composer: MFMessageComposeViewController, didFinishWith result: MessageComposeResult) {
        composer.dismiss(animated: true)
        answer(result == .sent ? .went : .left)
    }
}

@MainActor
private final class MailEnds: NSObject, MFMailComposeViewControllerDelegate {
    private let answer: @MainActor (Opened?) -> Void

    init(_ answer: @escaping @MainActor (Opened?) -> Void) { self.answer = answer }

    func mailComposeController(_ composer: MFMailComposeViewController, didFinishWith result: MFMailComposeResult, error: (any Error)?) {
        composer.dismiss(animated: true)
        answer(result == .sent ? .went : .left)
    }
}
#endif
