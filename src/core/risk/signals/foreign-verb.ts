import type { Category } from '../../policy/model.ts'
import type { Vote } from '../model.ts'
import type { Signal } from './signal.ts'

/** Stems of verbs in other languages; CJK needs no word boundary. */
const stems: readonly (readonly [Category, RegExp])[] = [
  [
    'Financial',
    /支付|付款|退款|转账|买入|卖出|下单|提现|支払|返金|결제|환불|송금|(?<!\p{L})(pagar|reembolsar|rembourser|bezahlen|überweisen|transférer|оплатить)/iu,
  ],
  [
    'Destructive',
    /删除|刪除|移除|清空|清除|销毁|卸载|撤销|削除|삭제|(?<!\p{L})(eliminar?|borrar?|supprimer?|löscht?|löschen|entfernen|apagar|excluir|удал)/iu,
  ],
  [
    'Execute',
    /执行|執行|运行|启动|停止|重启|部署|点击|実行|起動|실행|(?<!\p{L})(ejecutar?|exécuter?|ausführen|executar?|выполн|запус)/iu,
  ],
  [
    'Write',
    /创建|建立|新增|添加|更新|修改|发送|编辑|上传|保存|写入|作成|追加|送信|변경|생성|(?<!\p{L})(crear?|créer|erstellen|criar|actualizar?|atualizar|enviar?|envoyer|senden|созда|отправ|обнов)/iu,
  ],
  [
    'Read',
    /查询|查看|获取|搜索|列出|读取|查找|检索|検索|取得|一覧|조회|검색|(?<!\p{L})(obtener|buscar?|listar?|consultar?|obtenir|rechercher|suchen|abrufen|obter|получ|найти|поиск)/iu,
  ],
]

/** Verbs in other languages, in name, title or the beginning of the description. */
export const foreignVerb: Signal = ({ name, title, description }): readonly Vote[] => {
  const text = `${name}\n${title}\n${description.slice(0, 200)}`
  if (
    !/[^ -~\s]/.test(text) &&
    !/\b(eliminar|borrar|crear|enviar|obtener|buscar|listar|consultar|ejecutar|pagar|supprimer|envoyer|suchen|senden)/i.test(
      text,
    )
  )
    return []
  for (const [category, pattern] of stems) {
    const found = pattern.exec(text)
    if (found !== null) return [{ category, weight: 2, quote: found[0] }]
  }
  return []
}
